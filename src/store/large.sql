-- A large archive for measurements and query plans: so many instances and tasks as the table `size` says. Rows look like
-- those of real lists and come as a first sync brings them, instance by instance and newest first. The keys lie beyond
-- those of the rows that are there already. `(key * 2654435761) % 4294967296` stands for chance: Knuth's multiplicative
-- hash, of which the upper bits are used.
BEGIN;
INSERT INTO project(project_key, project_id, host) VALUES (1001, 'ffffffffffffffffffffffffffffffff', 'large.example');
INSERT INTO sync(sync_key, started, finished, outcome, exit_code, version) VALUES
  (1001, 1790733600000, 1790733900000, 'complete', 0, '0.1.0'),
  (1002, 1790820000000, 1790820060000, 'complete', 0, '0.1.0');
INSERT INTO instance(instance_key, project_key, instance_id, mark, proven_walk, full_walk, first_walk, last_walk, tasks)
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers, size WHERE n + 1 < size.instances)
SELECT 1001 + n, 1001,
  printf('%08x-%04x-4000-8000-%012x', ((n + 1) * 2654435761) % 4294967296, n, n),
  1790733600000, 2001 + n, 2001 + n, 1001 + n, 2001 + n, size.tasks / size.instances
FROM numbers, size;
INSERT INTO walk(walk_key, sync_key, instance_key, attempt, kind, started, finished, proven, reason, requests, received, new, same)
SELECT instance_key, 1001, instance_key, 1, 'full', 1790733600000 + instance_key, 1790733602000 + instance_key, 1, 'all received', 12, tasks, tasks, 0
FROM instance WHERE instance_key > 1000
UNION ALL
SELECT instance_key + 1000, 1002, instance_key, 1, 'full', 1790820000000 + instance_key, 1790820002000 + instance_key, 1, 'all received', 12, tasks, 0, tasks
FROM instance WHERE instance_key > 1000;
INSERT INTO operation VALUES (1001, 'ChangeInstanceSpec'), (1002, 'BindEip'), (1003, 'AddReplica'), (1004, 'AddWhitelist'),
  (1005, 'UpdatePort'), (1006, 'masterStandbySwapJob'), (1007, 'modify'), (1008, 'DeleteAcl') ON CONFLICT DO NOTHING;
INSERT INTO status VALUES (1001, 'SUCCESS', 1), (1002, 'FAILED', 1), (1003, 'EXECUTING', 0) ON CONFLICT DO NOTHING;
INSERT INTO user
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < 39)
SELECT 1001 + n, lower(hex(zeroblob(14))) || printf('%04x', n), 'user.' || n FROM numbers;
INSERT INTO attribute VALUES (1001, 'details', 'capacity', 1), (1002, 'details', 'cache_mode', 1) ON CONFLICT DO NOTHING;
-- One task in 5,000 is still open or missing, one in 20 failed, and the second sync brought the last 200. Each instance's tasks end at the same moment, and an
-- instance has one each three hours or so.
INSERT INTO task(task_key, instance_key, id, operation_key, status_key, user_key, is_open, created, updated, revision, revisions,
  first_walk, seen_walk, missing_walk, missing_as)
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers, size WHERE n + 1 < size.tasks),
  made AS MATERIALIZED (
    SELECT n, size.tasks AS size_of_all, size.tasks / size.instances AS each, ((n + 1) * 2654435761) % 4294967296 AS h,
      ((n + 7) * 40503) % 65536 AS g FROM numbers, size),
  placed AS (SELECT *, min(n / each, size.instances - 1) AS i, n - each * min(n / each, size.instances - 1) AS place FROM made, size)
SELECT 1001 + n, 1001 + i,
  unhex(printf('%08x%08x%08x%08x', h, n, (h * 31) % 4294967296, (h * 17 + n) % 4294967296)),
  o.operation_key,
  (SELECT status_key FROM status WHERE name = CASE WHEN n % 5000 = 17 THEN 'EXECUTING' WHEN h % 20 = 3 THEN 'FAILED' ELSE 'SUCCESS' END),
  1001 + g % 40, n % 5000 = 17,
  1790733600000 - place * 10800000 - h % 10000000, 1790733600000 - place * 10800000 - h % 10000000 + g * 20,
  1, 1, CASE WHEN n + 200 < size_of_all THEN 1001 ELSE 2001 END + i, CASE WHEN n % 5000 = 23 THEN 1001 + i END, CASE WHEN n % 5000 = 23 THEN 2001 + i END, CASE WHEN n % 5000 = 23 THEN 'removed' END
FROM placed JOIN (SELECT operation_key, row_number() OVER (ORDER BY operation_key) - 1 AS turn FROM operation) o
  ON o.turn = g % (SELECT count(*) FROM operation)
ORDER BY n;
INSERT INTO revision(revision_key, walk_key, status_key, updated, digest, raw)
SELECT t.task_key * 1048576 + 1, t.first_walk, t.status_key, t.updated, unhex(t.task_id || t.task_id),
  printf('{"id":"%s","name":"%s","details":{"old_capacity":"%d","new_capacity":"%d","old_cache_mode":"ha","new_cache_mode":"ha"},"user_name":"%s","user_id":"%s","params":null,"status":"%s","created_at":"%s","updated_at":"%s","enable_show":false}',
    t.task_id, o.name, t.task_key % 8 + 1, t.task_key % 8 + 2, u.user_name, u.user_id, s.name, t.created_at, t.updated_at)
FROM task t JOIN operation o USING (operation_key) JOIN user u USING (user_key) JOIN status s USING (status_key)
WHERE t.task_key > 1000 ORDER BY t.task_key;
INSERT INTO change
SELECT t.task_key, a.attribute_key,
  CASE a.name WHEN 'capacity' THEN t.task_key % 8 + 1 WHEN 'cache_mode' THEN 'ha' END,
  CASE a.name WHEN 'capacity' THEN t.task_key % 8 + 2 WHEN 'cache_mode' THEN 'ha' END
FROM task t JOIN attribute a ON a.source = 'details' AND a.name IN ('capacity', 'cache_mode') AND a.folded = 1
-- Every eighth or so states nothing, as a change of roles does.
WHERE t.task_key > 1000 AND t.task_key % 8 <> 0 ORDER BY t.task_key, a.attribute_key;
UPDATE instance SET
  open_tasks = (SELECT count(*) FROM task t WHERE t.instance_key = instance.instance_key AND t.is_open = 1),
  missing_tasks = (SELECT count(*) FROM task t WHERE t.instance_key = instance.instance_key AND t.missing_walk IS NOT NULL)
WHERE instance_key > 1000;
COMMIT;
