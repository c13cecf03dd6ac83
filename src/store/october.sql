-- A month of three instances, made so that each figure of a report is small, known, and another one than its neighbours.
-- Times are milliseconds; `october` is 2026-10-01T00:00:00Z, and walks are a day apart but for four days without any.
CREATE TEMP TABLE moment AS SELECT 1790812800000 AS october, 86400000 AS day, 3600000 AS hour, 60000 AS minute;
INSERT INTO project(project_key, project_id, host) VALUES (1, '0a1b2c3d4e5f60718293a4b5c6d7e8f9', 'dcs.example');
INSERT INTO instance(instance_key, project_key, instance_id, name, created, listed_walk, proven_walk, full_walk, first_walk, last_walk, gone, tasks)
SELECT 1, 1, '11111111-0000-4000-8000-000000000001', 'orders', october - 90 * day, 4, 1, 1, 1, 1, NULL, 12 FROM moment UNION ALL
SELECT 2, 1, '22222222-0000-4000-8000-000000000002', 'sessions <b>&', october - 90 * day, 4, 1, 1, 1, 1, october + 20 * day, 3 FROM moment UNION ALL
SELECT 3, 1, '33333333-0000-4000-8000-000000000003', NULL, october - 90 * day, 4, 1, 1, 1, 1, NULL, 0 FROM moment;
-- A sync a day at noon, from 29 September to 2 November, and none from 11 to 13 October. Its walks have ten times its key,
-- plus the instance's, and plus 9 for the list of instances; `sessions` is not read after it is gone.
INSERT INTO sync(sync_key, started, finished, outcome, exit_code, version)
WITH RECURSIVE days(n) AS (SELECT -2 UNION ALL SELECT n + 1 FROM days WHERE n < 32)
SELECT n + 3, october + n * day + 12 * hour, october + n * day + 12 * hour + minute, 'complete', 0, '0.1.0'
FROM days, moment WHERE n NOT IN (10, 11, 12);
INSERT INTO walk(walk_key, sync_key, instance_key, project_key, attempt, kind, started, finished, proven, reason, requests, received)
SELECT s.sync_key * 10 + k.n, s.sync_key, CASE WHEN k.n < 9 THEN k.n END, CASE WHEN k.n = 9 THEN 1 END, 1,
  CASE WHEN k.n = 9 THEN 'instances' ELSE 'full' END, s.started, s.started + k.n * 1000, 1,
  'the count of the list equals the records received', 1, 5
FROM sync s, moment, (SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 9) k
WHERE k.n <> 2 OR s.started < october + 20 * day;
INSERT INTO operation VALUES (1, 'EXTEND'), (2, 'BindEip'), (3, 'UnBindEip'), (4, 'UpdatePort'), (5, 'modify'), (6, 'AddWhitelist'), (7, 'SwitchSsl');
INSERT INTO status VALUES (1, 'SUCCESS', 1), (2, 'EXECUTING', 0), (3, 'FAILED', 1), (4, 'CANCELED', 1);
INSERT INTO user VALUES (1, 'u-1', 'aziz'), (2, 'u-2', 'bob <img src=x>'), (3, 'u-3', NULL);
INSERT INTO attribute VALUES (1, 'details', 'capacity', 1), (2, 'details', 'port', 1), (3, 'details', 'public_ip_address', 0),
  (4, 'params', 'whitelist', 0), (5, 'details', 'enable_ssl', 1), (6, 'details', 'replica_num', 1);
-- Key, instance, operation, status, user, open, begin and end in minutes of October, first walk; then missing, confirmed, as.
CREATE TEMP TABLE told(k, i, o, s, u, open, b, e, w, m, c, looks, error);
INSERT INTO told VALUES
  (100, 1, 4, 1, 1, 0, -15000, -14999, 11, NULL, NULL, NULL, NULL),
  (101, 1, 1, 1, 1, 0, 2040, 2060, 41, NULL, NULL, NULL, NULL),
  (102, 1, 2, 1, 2, 0, 3420, 3425, 51, NULL, NULL, NULL, NULL),
  (103, 1, 4, 3, 1, 0, 3540, 3541, 51, NULL, NULL, NULL, 'DCS.4888'),
  (104, 1, 4, 1, 1, 0, 5760, 5762, 71, NULL, NULL, NULL, NULL),
  (105, 1, 1, 1, 1, 0, 7200, 7380, 81, NULL, NULL, NULL, NULL),
  (106, 1, 5, 2, 2, 1, 41760, 41760, 321, NULL, NULL, NULL, NULL),
  (107, 1, 6, 1, 3, 0, 8640, 8641, 91, NULL, NULL, NULL, NULL),
  (108, 1, 1, 1, 1, 0, -60, 60, 31, NULL, NULL, NULL, NULL),
  (109, 1, 1, 4, 1, 0, 10080, 10081, 101, NULL, NULL, NULL, NULL),
  (110, 1, 5, 1, 1, 0, NULL, NULL, 171, NULL, NULL, NULL, NULL),
  (111, 1, 5, 1, 1, 0, 46000, 46001, 341, NULL, NULL, NULL, NULL),
  (201, 2, 2, 1, 2, 0, 4320, 4325, 62, 162, 172, 'removed', NULL),
  (202, 2, 3, 1, 2, 0, 11520, 11530, 112, 172, NULL, 'aged_out', NULL),
  (203, 2, 7, 1, 2, 0, 12960, 12961, 122, NULL, NULL, NULL, NULL);
INSERT INTO task(task_key, instance_key, id, operation_key, status_key, user_key, is_open, created, updated, revision, revisions,
  first_walk, seen_walk, missing_walk, confirmed_walk, missing_as, error_code)
SELECT k, i, 'task-' || k, o, s, u, open, october + b * minute, october + e * minute, 1, 1, w, CASE WHEN m IS NOT NULL THEN w END, m, c, looks, error
FROM told, moment;
INSERT INTO revision(revision_key, walk_key, status_key, updated, digest, raw)
SELECT k * 1048576 + 1, w, s, october + e * minute, zeroblob(32), '{"task_id":"task-' || k || '"}' FROM told, moment;
INSERT INTO change VALUES (100, 2, '6379', '6400'), (101, 1, '4', '8'), (101, 6, '2', '2'), (102, 3, NULL, '203.0.113.7'), (103, 2, '6400', '6500'),
  (104, 2, '7000', '7001'), (105, 1, '8', '16'), (107, 4, NULL, '0.0.0.0/0'), (201, 3, NULL, '198.51.100.9'),
  (202, 3, NULL, '198.51.100.9'), (203, 5, 'true', 'false');
INSERT INTO rejected_record(rejected_key, instance_key, digest, task_id, position, reason, first_walk, last_walk, raw) VALUES
  (1, 1, zeroblob(32), NULL, 3, 'it has no id', 201, 201, '{}');
INSERT INTO journal(journal_key, walk_key, kind, what, sample) VALUES (1, 121, 'operation', 'SwitchSsl', '{"name":"SwitchSsl"}');
INSERT INTO link(sync_key, walk_key, journal_key, rejected_key, instance_revision, state, head) VALUES
  (35, 359, 1, 1, 0, zeroblob(32), x'00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff');
