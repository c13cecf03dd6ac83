-- Three instances, three syncs of which the last one never finished, eight tasks that can be seen and one that cannot.
INSERT INTO project(project_key, project_id, host) VALUES (1, '0a1b2c3d4e5f60718293a4b5c6d7e8f9', 'dcs.example');
INSERT INTO instance(instance_key, project_key, instance_id, mark, proven_walk, full_walk, first_walk, last_walk, tasks) VALUES
  (1, 1, '1f4c2a90-b7de-4f0e-8d3c-5a6b79081726', NULL, 3, 3, 1, 3, 4),
  (2, 1, '1f4c2a90-c0ff-4eee-8d3c-000000000002', NULL, 4, 4, 2, 4, 3),
  (3, 1, 'e1f2a3b4-0000-4000-8000-000000000003', NULL, NULL, NULL, 6, 6, 1);
INSERT INTO sync(sync_key, started, finished, outcome, exit_code, version) VALUES
  (1, 1790733600000, 1790733660000, 'partial', 3, '0.1.0'),
  (2, 1790820000000, 1790820060000, 'done', 0, '0.1.0'),
  (3, 1790906400000, NULL, NULL, NULL, '0.1.0');
INSERT INTO walk(walk_key, sync_key, instance_key, attempt, kind, started, finished, proven, reason, requests, server_total, received, new, changed, same, missing, error) VALUES
  (1, 1, 1, 1, 'full', 1790733601000, 1790733605250, 1, 'all received', 1, 3, 3, 3, 0, 0, 0, NULL),
  (2, 1, 2, 1, 'full', 1790733601000, 1790733609000, 0, 'the list moved while it was read', 2, 2, 2, 2, 0, 0, 0, NULL),
  (3, 2, 1, 1, 'full', 1790820001000, 1790820004000, 1, 'all received', 1, 2, 2, 0, 1, 1, 1, NULL),
  (4, 2, 2, 1, 'full', 1790820001000, 1790820005000, 1, 'all received', 1, 3, 3, 1, 0, 2, 0, NULL),
  (5, 3, 1, 1, 'full', 1790906401000, 1790906402000, 0, 'interrupted', 1, 4, 1, 1, 0, 0, 0, NULL),
  (6, 2, 3, 2, 'full', 1790820001000, 1790820006000, 0, 'answer' || char(27, 13, 10) || 'cut off', 1, NULL, 1, 1, 0, 0, 0, 'connection reset'),
  (7, 2, NULL, 1, 'instances', 1790820000100, 1790820000900, 1, 'all received', 1, 3, 3, 0, 0, 0, 0, NULL);
INSERT INTO pending VALUES (5);
INSERT INTO operation VALUES (1, 'ChangeInstanceSpec'), (2, 'BindEip'), (3, 'EXTEND'), (4, 'UpdatePort'), (5, 'modify'),
  (6, '実例の名前を変更する操作です' || char(0x1F642));
INSERT INTO status VALUES (1, 'SUCCESS', 1), (2, 'EXECUTING', 0), (3, 'FAILED', 1), (4, '成功', 0);
INSERT INTO user VALUES (1, 'u-1', 'ann'), (2, 'u-2', 'eve' || char(0x202E) || 'nimda'), (3, NULL, '=HYPERLINK("http://e")'), (4, 'u-4', 'Joanna <script>');
INSERT INTO attribute VALUES (1, 'details', 'capacity', 1), (2, 'details', 'port', 1), (3, 'params', 'note', 0),
  (4, 'details', 'enable_public_ip', 0);
INSERT INTO task(task_key, instance_key, id, operation_key, status_key, user_key, is_open, created, updated, revision, revisions,
  first_walk, seen_walk, missing_walk, confirmed_walk, missing_as, params, error_code) VALUES
  (1, 1, x'00112233445566778899aabbccddeeff', 1, 1, 1, 0, 1788256800000, 1788256865250, 2, 2, 1, NULL, NULL, NULL, NULL, '{"note":"100%_done"}', NULL),
  (2, 1, x'0011223344556677ffffffffffffffff', 2, 2, 2, 1, 1790640000123, 1790640000123, 1, 1, 1, NULL, NULL, NULL, NULL, NULL, NULL),
  (3, 2, '=cmd|''/C calc''!A0', 3, 3, 3, 0, 1790553600000, 1790557261000, 1, 1, 2, NULL, NULL, NULL, NULL, 'a|b' || char(10) || 'c', 'DCS.4999'),
  (4, 2, x'00112233445566778899aabbccddeeff', 4, 1, 4, 0, 1790553600000, 1790553600900, 1, 1, 2, NULL, NULL, NULL, NULL, NULL, NULL),
  (5, 1, x'5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a', 4, 1, NULL, 0, 1785542400000, 1785542401000, 1, 1, 1, 1, 3, NULL, 'removed', NULL, NULL),
  (6, 2, x'6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b', 5, NULL, NULL, 1, NULL, NULL, 1, 1, 4, NULL, NULL, NULL, NULL, NULL, NULL),
  (7, 1, x'77777777777777777777777777777777', 1, 1, 1, 0, 1790700000000, 1790700001000, 1, 1, 5, NULL, NULL, NULL, NULL, NULL, NULL),
  (8, 3, 'Ab' || char(27) || '[31m', 6, 4, 1, 1, 1790726400000, 1790726400000, 1, 1, 6, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO revision(revision_key, walk_key, status_key, updated, digest, raw) VALUES
  (1 * 1048576 + 1, 1, 2, 1788256800000, zeroblob(32), '{"task_id":"00112233445566778899aabbccddeeff","status":"EXECUTING","details":{"old_capacity":"4","new_capacity":"8"}}'),
  (1 * 1048576 + 2, 3, 1, 1788256865250, zeroblob(32), '{"task_id":"00112233445566778899aabbccddeeff","status":"SUCCESS","details":{"old_capacity":"4","new_capacity":"8.0","old_port":6379},"params":"{\"note\":\"100%_done\"}"}'),
  (2 * 1048576 + 1, 1, 2, 1790640000123, zeroblob(32), '{"task_id":"0011223344556677ffffffffffffffff","x":"' || char(0x202E) || '"}'),
  (3 * 1048576 + 1, 2, 3, 1790557261000, zeroblob(32), '{"raw":"only-in-raw"}'),
  (4 * 1048576 + 1, 2, 1, 1790553600900, zeroblob(32), '{}'),
  (5 * 1048576 + 1, 1, 1, 1785542401000, zeroblob(32), '{}'),
  (6 * 1048576 + 1, 4, NULL, NULL, zeroblob(32), '{}'),
  (7 * 1048576 + 1, 5, 1, 1790700001000, zeroblob(32), '{}'),
  (8 * 1048576 + 1, 6, 4, 1790726400000, zeroblob(32), '{}');
INSERT INTO change VALUES (1, 1, '4', '8.0'), (1, 2, '6379', NULL), (1, 3, NULL, '100%_done'), (4, 2, '6379', '6380'),
  (2, 4, NULL, 'true'), (3, 3, NULL, char(27) || '[2J');
UPDATE walk SET project_key = 1 WHERE kind = 'instances';
INSERT INTO manner(host, aspect, finding, evidence, first_seen, last_seen) VALUES
  ('dcs.example', 'count', 'total', '2 came and 3 counted', 1790812800000, 1790816400000);
INSERT INTO link(sync_key, walk_key, journal_key, rejected_key, instance_revision, state, head) VALUES
  (1, 2, 1, 1, 1, zeroblob(32), x'00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff');
