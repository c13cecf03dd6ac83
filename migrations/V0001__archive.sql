-- The archive, first format.
--
-- What people and tools read are the views at the end: they are the contract, columns may be added to them and never
-- renamed or removed. The tables are the program's own: narrow integers, every repeated text once, times as milliseconds
-- since 1970 in UTC with a virtual text column where a view's time is filtered by index.
--
-- Rows of a walk that has not ended carry the key of a walk in `pending`, and no view shows them; the transaction that
-- writes the walk's ledger line takes it out of `pending`, so all of it becomes visible at once.

PRAGMA application_id = 1145262920; -- 'DCSH' in ASCII: 0x44435348
PRAGMA user_version = 1;

CREATE TABLE project(
  project_key INTEGER PRIMARY KEY,
  project_id TEXT NOT NULL UNIQUE,
  host TEXT NOT NULL, -- where it was first read from: another host is refused
  lost_sync INTEGER   -- the sync that first met a list of instances without any that is known
) STRICT;

-- What was learned about a kind of list (tasks or instances) of an endpoint: trust in its count (0 unknown, 1 trusted,
-- 2 distrusted), the longest page that it ever served, the limit that it accepts.
CREATE TABLE endpoint(
  endpoint_key INTEGER PRIMARY KEY,
  host TEXT NOT NULL,
  list TEXT NOT NULL,
  trust INTEGER NOT NULL,
  longest_page INTEGER NOT NULL,
  page_limit INTEGER,
  UNIQUE(host, list)
) STRICT;

CREATE TABLE sync(
  sync_key INTEGER PRIMARY KEY,
  started INTEGER NOT NULL,
  finished INTEGER,
  outcome TEXT,
  exit_code INTEGER,
  version TEXT NOT NULL,
  instances INTEGER NOT NULL DEFAULT 0,
  requests INTEGER NOT NULL DEFAULT 0,
  retries INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The ledger. Counters of an instance stand here so that a proof need not count a million rows.
CREATE TABLE instance(
  instance_key INTEGER PRIMARY KEY,
  project_key INTEGER NOT NULL REFERENCES project,
  instance_id TEXT NOT NULL,
  revision INTEGER,      -- the current one of instance_revision, where a list of instances ever showed it, and what it tells
  name TEXT,
  engine TEXT,
  engine_version TEXT,
  spec_code TEXT,
  capacity_gb REAL,
  status TEXT,
  created INTEGER,
  listed_walk INTEGER,   -- the last proven walk of a list of instances that showed it
  mark INTEGER,          -- the high-water mark
  proven_walk INTEGER,   -- the last proven walk, and the last proven full one
  full_walk INTEGER,
  first_walk INTEGER,    -- the first and the last walk that was answered with a list
  last_walk INTEGER,
  whole_since INTEGER,   -- the walk that found a hidden default window: lists are asked for with an early start_time
  absent_sync INTEGER,   -- the sync that first had "does not exist" for an answer, and the time that it established it
  gone INTEGER,
  irregular INTEGER NOT NULL DEFAULT 0, -- its last proven full walk was not newest first, or held a record twice
  strays INTEGER NOT NULL DEFAULT 0,    -- positions of that walk that are no known task: rejected records
  left_out INTEGER NOT NULL DEFAULT 0,  -- the last sync that read the list of instances was told not to read it
  unsupported INTEGER,   -- since when the instance says that it has no background tasks
  tasks INTEGER NOT NULL DEFAULT 0,
  open_tasks INTEGER NOT NULL DEFAULT 0,
  missing_tasks INTEGER NOT NULL DEFAULT 0,    -- called missing, confirmed or not
  confirmed_tasks INTEGER NOT NULL DEFAULT 0,  -- of these, confirmed
  UNIQUE(instance_id, project_key)
) STRICT;

CREATE TABLE walk(
  walk_key INTEGER PRIMARY KEY,
  sync_key INTEGER NOT NULL REFERENCES sync,
  instance_key INTEGER REFERENCES instance,
  project_key INTEGER REFERENCES project, -- of a walk of the list of instances, which belongs to none
  attempt INTEGER NOT NULL,
  kind TEXT NOT NULL,
  window_start INTEGER,
  window_end INTEGER,
  started INTEGER NOT NULL,
  finished INTEGER NOT NULL,
  proven INTEGER NOT NULL DEFAULT 0,
  reason TEXT NOT NULL DEFAULT 'interrupted',
  requests INTEGER NOT NULL DEFAULT 0,
  server_total INTEGER,
  received INTEGER NOT NULL DEFAULT 0,
  new INTEGER NOT NULL DEFAULT 0,
  changed INTEGER NOT NULL DEFAULT 0,
  same INTEGER NOT NULL DEFAULT 0,
  older INTEGER NOT NULL DEFAULT 0,
  rejected INTEGER NOT NULL DEFAULT 0,
  missing INTEGER NOT NULL DEFAULT 0,
  reappeared INTEGER NOT NULL DEFAULT 0,
  mark_before INTEGER,
  mark_after INTEGER,
  error TEXT,
  digest BLOB -- over the revisions and absences that it brought (see src/store/chain.rs); null where it brought none
) STRICT;
CREATE INDEX walk_instance ON walk(instance_key);
-- What coverage reads: the proven walks of an instance around a period, and those of a list of instances.
CREATE INDEX walk_proven ON walk(instance_key, kind, started) WHERE proven = 1;
CREATE INDEX walk_list ON walk(project_key, kind, started) WHERE proven = 1 AND project_key IS NOT NULL;
CREATE INDEX walk_sync ON walk(sync_key);

-- The walks that are not visible yet, and the known tasks that they touched, with the revision that will be current.
CREATE TABLE pending(walk_key INTEGER PRIMARY KEY REFERENCES walk) STRICT;
CREATE TABLE pending_task(
  walk_key INTEGER NOT NULL REFERENCES walk,
  task_key INTEGER NOT NULL REFERENCES task,
  revision INTEGER NOT NULL,
  PRIMARY KEY(walk_key, task_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE operation(operation_key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE status(status_key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, is_final INTEGER NOT NULL) STRICT;
CREATE TABLE user(user_key INTEGER PRIMARY KEY, user_id TEXT, user_name TEXT) STRICT;
CREATE UNIQUE INDEX user_identity ON user(coalesce(user_id, ''), coalesce(user_name, ''), user_id IS NULL, user_name IS NULL);
CREATE TABLE attribute(
  attribute_key INTEGER PRIMARY KEY,
  source TEXT NOT NULL,      -- details or params
  name TEXT NOT NULL,
  folded INTEGER NOT NULL,   -- old_x and new_x as x, as against a member that is named x
  UNIQUE(source, name, folded)
) STRICT;

CREATE TABLE task(
  task_key INTEGER PRIMARY KEY,
  instance_key INTEGER NOT NULL REFERENCES instance,
  id ANY NOT NULL,           -- 32 lower-case hex digits as 16 bytes, any other id as text
  operation_key INTEGER REFERENCES operation,
  status_key INTEGER REFERENCES status,
  user_key INTEGER REFERENCES user,
  is_open INTEGER NOT NULL,
  created INTEGER,
  updated INTEGER,
  revision INTEGER NOT NULL,   -- the current one
  revisions INTEGER NOT NULL,
  first_walk INTEGER NOT NULL,
  seen_walk INTEGER,           -- while missing, the last walk known to have shown it; else the one that it reappeared in
  missing_walk INTEGER,        -- the proven full walk that first lacked it, and the one that confirmed it
  confirmed_walk INTEGER,
  missing_as TEXT,
  params TEXT,                 -- null where the text stands in raw just as SQLite reads it
  error_code TEXT,
  task_id TEXT GENERATED ALWAYS AS (CASE typeof(id) WHEN 'blob' THEN lower(hex(id)) ELSE id END) VIRTUAL,
  created_at TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%fZ', created / 1000.0, 'unixepoch')) VIRTUAL,
  updated_at TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%fZ', updated / 1000.0, 'unixepoch')) VIRTUAL
) STRICT;
CREATE UNIQUE INDEX task_identity ON task(task_id, instance_key);
CREATE INDEX task_instance ON task(instance_key, created_at);
CREATE INDEX task_created ON task(created_at);
CREATE INDEX task_updated ON task(updated_at);
CREATE INDEX task_open ON task(instance_key) WHERE is_open = 1;
CREATE INDEX task_missing ON task(instance_key, confirmed_walk) WHERE missing_walk IS NOT NULL;
CREATE INDEX task_first ON task(first_walk);

-- The key of a revision is its task's key times 2^20 plus its number, so that a task's revisions stand side by side and
-- the current one is found without an index.
CREATE TABLE revision(
  revision_key INTEGER PRIMARY KEY,
  walk_key INTEGER NOT NULL REFERENCES walk,
  status_key INTEGER REFERENCES status,
  updated INTEGER,
  digest BLOB NOT NULL,   -- SHA-256 of raw
  raw TEXT NOT NULL,      -- exactly as received
  adopted TEXT            -- fields taken from beside the list (a JSON object)
) STRICT;

-- What the lists of instances told of one, whenever it was something else than before.
CREATE TABLE instance_revision(
  revision_key INTEGER PRIMARY KEY,
  instance_key INTEGER NOT NULL REFERENCES instance,
  walk_key INTEGER NOT NULL REFERENCES walk,
  name TEXT,
  engine TEXT,
  engine_version TEXT,
  spec_code TEXT,
  capacity_gb REAL,
  status TEXT,
  created INTEGER,
  updated INTEGER,
  form BLOB NOT NULL,     -- SHA-256 of the canonical form without what moves by itself
  digest BLOB NOT NULL,   -- SHA-256 of raw
  raw TEXT NOT NULL       -- exactly as received
) STRICT;
CREATE INDEX instance_history ON instance_revision(instance_key, walk_key);
CREATE INDEX instance_revision_walk ON instance_revision(walk_key);

-- What the current revision of a task sets or changes. A long value of `params` that SQLite finds in raw just as it was
-- normalised is not stored again: both values of such a row are null.
CREATE TABLE change(
  task_key INTEGER NOT NULL REFERENCES task,
  attribute_key INTEGER NOT NULL REFERENCES attribute,
  old TEXT,
  new TEXT,
  PRIMARY KEY(task_key, attribute_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE rejected_record(
  rejected_key INTEGER PRIMARY KEY,
  instance_key INTEGER REFERENCES instance,
  project_key INTEGER REFERENCES project, -- of a record of the list of instances
  digest BLOB NOT NULL,
  task_id TEXT,           -- the instance's id, of a record of the list of instances
  position INTEGER NOT NULL,
  reason TEXT NOT NULL,
  first_walk INTEGER NOT NULL REFERENCES walk,
  last_walk INTEGER NOT NULL REFERENCES walk,
  raw ANY NOT NULL        -- text, or bytes where they are not UTF-8 or hold a NUL
) STRICT;
CREATE UNIQUE INDEX rejected_identity ON rejected_record(coalesce(instance_key, -project_key), digest);

-- What a walk met, or something else at a time of its own.
CREATE TABLE journal(
  journal_key INTEGER PRIMARY KEY,
  walk_key INTEGER REFERENCES walk,
  seen INTEGER,
  kind TEXT NOT NULL,
  what TEXT NOT NULL,
  sample TEXT NOT NULL,
  UNIQUE(kind, what),
  CHECK ((walk_key IS NULL) <> (seen IS NULL))
) STRICT;

-- How a host behaves where its documentation leaves it open: the finding that holds, since when, and when it was last
-- looked at. What it was before stands in the journal.
CREATE TABLE manner(
  host TEXT NOT NULL,
  aspect TEXT NOT NULL,
  finding TEXT NOT NULL,
  evidence TEXT NOT NULL,
  first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  PRIMARY KEY(host, aspect)
) STRICT, WITHOUT ROWID;

-- What walks concluded of tasks that they lacked, in the order in which it was concluded. A task's own columns say how it
-- stands; these rows, which are never changed, say why, and the hash chain covers them.
CREATE TABLE absence(
  task_key INTEGER NOT NULL REFERENCES task,
  walk_key INTEGER NOT NULL REFERENCES walk,
  kind INTEGER NOT NULL, -- 1 missing (removed), 2 missing (aged out), 3 confirmed, 4 reappeared
  seen_walk INTEGER,     -- of the first two: the last walk known to have shown it
  PRIMARY KEY(task_key, walk_key)
) STRICT, WITHOUT ROWID;

-- The hash chain: a link for each sync that has ended. Its head is the SHA-256 of the head before it and of all ledger
-- lines, journal entries, rejected records, revisions of instances and syncs since then, up to the keys that it names.
CREATE TABLE link(
  sync_key INTEGER PRIMARY KEY REFERENCES sync,
  walk_key INTEGER NOT NULL,
  journal_key INTEGER NOT NULL,
  rejected_key INTEGER NOT NULL,
  instance_revision INTEGER NOT NULL,
  state BLOB NOT NULL,   -- SHA-256 of what this sync left in project and instance
  head BLOB NOT NULL
) STRICT;

-- The views: the contract.

CREATE VIEW tasks AS
SELECT t.task_key, p.project_id, i.instance_id, t.task_id,
  i.name AS instance_name,
  o.name AS name, s.name AS status, 1 - t.is_open AS is_final, u.user_id, u.user_name,
  t.created_at, t.updated_at,
  CASE WHEN t.is_open = 0 THEN t.updated - t.created END AS duration_ms,
  CAST(coalesce(t.params, (
    SELECT json_extract(cur.raw, '$.params') FROM revision cur
    WHERE cur.revision_key = t.task_key * 1048576 + t.revision)) AS TEXT) AS params,
  t.error_code, t.revisions,
  strftime('%Y-%m-%dT%H:%M:%fZ', f.finished / 1000.0, 'unixepoch') AS first_seen_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', max(
    c.finished,
    coalesce((SELECT w.finished FROM walk w WHERE w.walk_key = CASE WHEN t.missing_walk IS NULL
      THEN max(coalesce(i.full_walk, 0), coalesce(t.seen_walk, 0)) ELSE t.seen_walk END), c.finished)
  ) / 1000.0, 'unixepoch') AS last_seen_at,
  (SELECT strftime('%Y-%m-%dT%H:%M:%fZ', w.started / 1000.0, 'unixepoch') FROM walk w WHERE w.walk_key = i.proven_walk) AS vouched_at,
  (SELECT strftime('%Y-%m-%dT%H:%M:%fZ', w.finished / 1000.0, 'unixepoch') FROM walk w WHERE w.walk_key = t.missing_walk) AS missing_since,
  (SELECT strftime('%Y-%m-%dT%H:%M:%fZ', w.finished / 1000.0, 'unixepoch') FROM walk w WHERE w.walk_key = t.confirmed_walk) AS missing_confirmed_at,
  t.missing_as,
  CASE WHEN t.missing_walk IS NULL THEN (
    SELECT strftime('%Y-%m-%dT%H:%M:%fZ', w.finished / 1000.0, 'unixepoch') FROM walk w WHERE w.walk_key = t.seen_walk)
  END AS reappeared_at
FROM task t
JOIN instance i ON i.instance_key = t.instance_key
JOIN project p ON p.project_key = i.project_key
JOIN walk f ON f.walk_key = t.first_walk
JOIN revision r ON r.revision_key = t.task_key * 1048576 + t.revisions
JOIN walk c ON c.walk_key = r.walk_key
LEFT JOIN operation o ON o.operation_key = t.operation_key
LEFT JOIN status s ON s.status_key = t.status_key
LEFT JOIN user u ON u.user_key = t.user_key
WHERE t.first_walk NOT IN (SELECT walk_key FROM pending);

-- A documented number that is sent as something else, or beyond what the type holds (a double has at most 309 digits
-- before the point), is null here, and as sent in task_changes and in raw.
CREATE VIEW task_details AS
SELECT t.task_key, p.project_id, i.instance_id, t.task_id,
  (SELECT CASE WHEN c.old NOT GLOB '*[^0-9.]*' AND c.old GLOB '*[0-9]*' AND c.old NOT GLOB '*.*.*' AND length(c.old) <= 300 THEN CAST(c.old AS REAL) END FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'capacity' AND a.folded = 1)) AS old_capacity,
  (SELECT CASE WHEN c.new NOT GLOB '*[^0-9.]*' AND c.new GLOB '*[0-9]*' AND c.new NOT GLOB '*.*.*' AND length(c.new) <= 300 THEN CAST(c.new AS REAL) END FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'capacity' AND a.folded = 1)) AS new_capacity,
  (SELECT CASE lower(c.new) WHEN 'true' THEN 1 WHEN 'false' THEN 0 WHEN '1' THEN 1 WHEN '0' THEN 0 END FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'enable_public_ip' AND a.folded = 0)) AS enable_public_ip,
  (SELECT c.new FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'public_ip_id' AND a.folded = 0)) AS public_ip_id,
  (SELECT c.new FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'public_ip_address' AND a.folded = 0)) AS public_ip_address,
  (SELECT CASE lower(c.new) WHEN 'true' THEN 1 WHEN 'false' THEN 0 WHEN '1' THEN 1 WHEN '0' THEN 0 END FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'enable_ssl' AND a.folded = 0)) AS enable_ssl,
  (SELECT c.old FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'cache_mode' AND a.folded = 1)) AS old_cache_mode,
  (SELECT c.new FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'cache_mode' AND a.folded = 1)) AS new_cache_mode,
  (SELECT c.old FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'resource_spec_code' AND a.folded = 1)) AS old_resource_spec_code,
  (SELECT c.new FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'resource_spec_code' AND a.folded = 1)) AS new_resource_spec_code,
  (SELECT CASE WHEN c.old NOT GLOB '*[^0-9]*' AND length(c.old) BETWEEN 1 AND 18 THEN CAST(c.old AS INTEGER) END FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'replica_num' AND a.folded = 1)) AS old_replica_num,
  (SELECT CASE WHEN c.new NOT GLOB '*[^0-9]*' AND length(c.new) BETWEEN 1 AND 18 THEN CAST(c.new AS INTEGER) END FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'replica_num' AND a.folded = 1)) AS new_replica_num,
  (SELECT c.old FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'cache_type' AND a.folded = 1)) AS old_cache_type,
  (SELECT c.new FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'cache_type' AND a.folded = 1)) AS new_cache_type,
  (SELECT c.new FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'replica_ip' AND a.folded = 0)) AS replica_ip,
  (SELECT c.new FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'replica_az' AND a.folded = 0)) AS replica_az,
  (SELECT c.new FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'group_name' AND a.folded = 0)) AS group_name,
  (SELECT CASE WHEN c.old NOT GLOB '*[^0-9]*' AND length(c.old) BETWEEN 1 AND 18 THEN CAST(c.old AS INTEGER) END FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'port' AND a.folded = 1)) AS old_port,
  (SELECT CASE WHEN c.new NOT GLOB '*[^0-9]*' AND length(c.new) BETWEEN 1 AND 18 THEN CAST(c.new AS INTEGER) END FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'port' AND a.folded = 1)) AS new_port,
  (SELECT CASE lower(c.new) WHEN 'true' THEN 1 WHEN 'false' THEN 0 WHEN '1' THEN 1 WHEN '0' THEN 0 END FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'is_only_adjust_charging' AND a.folded = 0)) AS is_only_adjust_charging,
  (SELECT c.new FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'account_name' AND a.folded = 0)) AS account_name,
  (SELECT c.new FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'source_ip' AND a.folded = 0)) AS source_ip,
  (SELECT c.new FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'target_ip' AND a.folded = 0)) AS target_ip,
  (SELECT c.new FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'node_name' AND a.folded = 0)) AS node_name,
  (SELECT c.new FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'rename_commands' AND a.folded = 0)) AS rename_commands,
  (SELECT CASE WHEN c.new NOT GLOB '*[^0-9]*' AND length(c.new) BETWEEN 1 AND 18 THEN CAST(c.new AS INTEGER) END FROM change c WHERE c.task_key = t.task_key AND c.attribute_key = (SELECT a.attribute_key FROM attribute a WHERE a.source = 'details' AND a.name = 'updated_config_length' AND a.folded = 0)) AS updated_config_length
FROM task t
JOIN instance i ON i.instance_key = t.instance_key
JOIN project p ON p.project_key = i.project_key
WHERE t.first_walk NOT IN (SELECT walk_key FROM pending);

CREATE VIEW task_changes AS
SELECT t.task_key, p.project_id, i.instance_id, t.task_id,
  a.source, a.name AS attribute, c.old AS old_value,
  -- The cast makes it a column of texts, as the old value is: `new_value = 8` finds '8'.
  CAST(CASE WHEN c.old IS NULL AND c.new IS NULL THEN (
    SELECT json_extract(json_extract(cur.raw, '$.params'), '$.' || a.name) FROM revision cur
    WHERE cur.revision_key = t.task_key * 1048576 + t.revision) ELSE c.new END AS TEXT) AS new_value
FROM task t
JOIN change c ON c.task_key = t.task_key
JOIN attribute a ON a.attribute_key = c.attribute_key
JOIN instance i ON i.instance_key = t.instance_key
JOIN project p ON p.project_key = i.project_key
WHERE t.first_walk NOT IN (SELECT walk_key FROM pending);

-- The same attributes beside the task that states them, for the question what changed. A task that states none (a change
-- of roles, say) has one row without an attribute: it happened.
CREATE VIEW changes AS
SELECT t.task_key, p.project_id, i.instance_id, t.task_id,
  i.name AS instance_name,
  o.name AS name, s.name AS status, 1 - t.is_open AS is_final, u.user_id, u.user_name,
  t.created_at, t.updated_at,
  (SELECT strftime('%Y-%m-%dT%H:%M:%fZ', w.finished / 1000.0, 'unixepoch') FROM walk w WHERE w.walk_key = t.missing_walk) AS missing_since,
  a.source, a.name AS attribute, c.old AS old_value,
  CAST(CASE WHEN c.attribute_key IS NOT NULL AND c.old IS NULL AND c.new IS NULL THEN (
    SELECT json_extract(json_extract(cur.raw, '$.params'), '$.' || a.name) FROM revision cur
    WHERE cur.revision_key = t.task_key * 1048576 + t.revision) ELSE c.new END AS TEXT) AS new_value
FROM task t
JOIN instance i ON i.instance_key = t.instance_key
JOIN project p ON p.project_key = i.project_key
LEFT JOIN operation o ON o.operation_key = t.operation_key
LEFT JOIN status s ON s.status_key = t.status_key
LEFT JOIN user u ON u.user_key = t.user_key
LEFT JOIN change c ON c.task_key = t.task_key
LEFT JOIN attribute a ON a.attribute_key = c.attribute_key
WHERE t.first_walk NOT IN (SELECT walk_key FROM pending);

CREATE VIEW task_revisions AS
SELECT t.task_key, p.project_id, i.instance_id, t.task_id,
  r.revision_key - t.task_key * 1048576 AS revision,
  r.revision_key = t.task_key * 1048576 + t.revision AS is_current,
  strftime('%Y-%m-%dT%H:%M:%fZ', w.finished / 1000.0, 'unixepoch') AS observed_at,
  w.sync_key AS sync_id,
  s.name AS status,
  strftime('%Y-%m-%dT%H:%M:%fZ', r.updated / 1000.0, 'unixepoch') AS updated_at,
  lower(hex(r.digest)) AS raw_sha256, r.raw
FROM task t
JOIN revision r ON r.revision_key BETWEEN t.task_key * 1048576 + 1 AND t.task_key * 1048576 + 1048575
JOIN walk w ON w.walk_key = r.walk_key
JOIN instance i ON i.instance_key = t.instance_key
JOIN project p ON p.project_key = i.project_key
LEFT JOIN status s ON s.status_key = r.status_key
WHERE r.walk_key NOT IN (SELECT walk_key FROM pending);

CREATE VIEW instances AS
SELECT p.project_id, i.instance_id,
  i.name, i.engine, i.engine_version, i.spec_code, i.capacity_gb, i.status,
  strftime('%Y-%m-%dT%H:%M:%fZ', i.created / 1000.0, 'unixepoch') AS created_at,
  (SELECT strftime('%Y-%m-%dT%H:%M:%fZ', w.finished / 1000.0, 'unixepoch') FROM walk w
   WHERE w.walk_key = (SELECT min(seen) FROM (SELECT i.first_walk AS seen UNION ALL
     SELECT min(r.walk_key) FROM instance_revision r WHERE r.instance_key = i.instance_key))) AS first_seen_at,
  (SELECT strftime('%Y-%m-%dT%H:%M:%fZ', w.finished / 1000.0, 'unixepoch') FROM walk w
   WHERE w.walk_key = (SELECT max(seen) FROM (SELECT i.last_walk AS seen UNION ALL SELECT i.listed_walk UNION ALL
     SELECT r.walk_key FROM instance_revision r WHERE r.revision_key = i.revision))) AS last_seen_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', i.gone / 1000.0, 'unixepoch') AS gone_at,
  (SELECT strftime('%Y-%m-%dT%H:%M:%fZ', w.started / 1000.0, 'unixepoch') FROM walk w WHERE w.walk_key = i.proven_walk) AS last_proven_at,
  (SELECT strftime('%Y-%m-%dT%H:%M:%fZ', w.started / 1000.0, 'unixepoch') FROM walk w WHERE w.walk_key = i.full_walk) AS last_full_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', i.mark / 1000.0, 'unixepoch') AS high_water_mark,
  i.tasks, i.open_tasks, i.missing_tasks, i.left_out
FROM instance i
JOIN project p ON p.project_key = i.project_key
WHERE i.revision IS NOT NULL OR EXISTS (
  SELECT 1 FROM walk w
  WHERE w.instance_key = i.instance_key AND w.walk_key NOT IN (SELECT walk_key FROM pending));

CREATE VIEW instance_revisions AS
SELECT p.project_id, i.instance_id,
  row_number() OVER (PARTITION BY r.instance_key ORDER BY r.revision_key) AS revision,
  r.revision_key = i.revision AS is_current,
  strftime('%Y-%m-%dT%H:%M:%fZ', w.finished / 1000.0, 'unixepoch') AS observed_at,
  w.sync_key AS sync_id,
  r.name, r.engine, r.engine_version, r.spec_code, r.capacity_gb, r.status,
  strftime('%Y-%m-%dT%H:%M:%fZ', r.created / 1000.0, 'unixepoch') AS created_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', r.updated / 1000.0, 'unixepoch') AS updated_at,
  lower(hex(r.digest)) AS raw_sha256, r.raw
FROM instance_revision r
JOIN walk w ON w.walk_key = r.walk_key
JOIN instance i ON i.instance_key = r.instance_key
JOIN project p ON p.project_key = i.project_key
WHERE r.walk_key NOT IN (SELECT walk_key FROM pending);

CREATE VIEW walks AS
SELECT w.walk_key AS walk_id, w.sync_key AS sync_id, p.project_id, i.instance_id, w.attempt, w.kind,
  strftime('%Y-%m-%dT%H:%M:%fZ', w.window_start / 1000.0, 'unixepoch') AS window_start, strftime('%Y-%m-%dT%H:%M:%fZ', w.window_end / 1000.0, 'unixepoch') AS window_end,
  strftime('%Y-%m-%dT%H:%M:%fZ', w.started / 1000.0, 'unixepoch') AS started_at, strftime('%Y-%m-%dT%H:%M:%fZ', w.finished / 1000.0, 'unixepoch') AS finished_at,
  w.proven, w.reason, w.requests, w.server_total, w.received,
  w.new, w.changed, w.same, w.older, w.rejected, w.missing, w.reappeared,
  strftime('%Y-%m-%dT%H:%M:%fZ', w.mark_before / 1000.0, 'unixepoch') AS mark_before, strftime('%Y-%m-%dT%H:%M:%fZ', w.mark_after / 1000.0, 'unixepoch') AS mark_after, w.error
FROM walk w
LEFT JOIN instance i ON i.instance_key = w.instance_key
LEFT JOIN project p ON p.project_key = coalesce(i.project_key, w.project_key)
WHERE w.walk_key NOT IN (SELECT walk_key FROM pending);

CREATE VIEW syncs AS
SELECT s.sync_key AS sync_id,
  strftime('%Y-%m-%dT%H:%M:%fZ', s.started / 1000.0, 'unixepoch') AS started_at, strftime('%Y-%m-%dT%H:%M:%fZ', s.finished / 1000.0, 'unixepoch') AS finished_at,
  s.outcome, s.exit_code, s.version, s.instances,
  count(w.walk_key) AS walks, coalesce(sum(w.proven), 0) AS proven, s.requests, s.retries,
  -- Of tasks: the walks of lists of instances count instances.
  coalesce(sum(w.new) FILTER (WHERE w.kind <> 'instances'), 0) AS new,
  coalesce(sum(w.changed) FILTER (WHERE w.kind <> 'instances'), 0) AS changed,
  coalesce(sum(w.same) FILTER (WHERE w.kind <> 'instances'), 0) AS same,
  coalesce(sum(w.older) FILTER (WHERE w.kind <> 'instances'), 0) AS older,
  coalesce(sum(w.rejected), 0) AS rejected,
  coalesce(sum(w.missing) FILTER (WHERE w.kind <> 'instances'), 0) AS missing,
  coalesce(sum(w.reappeared) FILTER (WHERE w.kind <> 'instances'), 0) AS reappeared,
  (SELECT lower(hex(l.head)) FROM link l WHERE l.sync_key = s.sync_key) AS head
FROM sync s
LEFT JOIN walk w ON w.sync_key = s.sync_key AND w.walk_key NOT IN (SELECT walk_key FROM pending)
GROUP BY s.sync_key;

CREATE VIEW rejected AS
SELECT p.project_id, i.instance_id, r.task_id, r.position, r.reason, r.raw, lower(hex(r.digest)) AS raw_sha256,
  f.sync_key AS first_sync_id, l.sync_key AS last_sync_id
FROM rejected_record r
LEFT JOIN instance i ON i.instance_key = r.instance_key
JOIN project p ON p.project_key = coalesce(i.project_key, r.project_key)
JOIN walk f ON f.walk_key = r.first_walk
JOIN walk l ON l.walk_key = r.last_walk
WHERE r.first_walk NOT IN (SELECT walk_key FROM pending);

CREATE VIEW drift AS
SELECT strftime('%Y-%m-%dT%H:%M:%fZ', coalesce(w.finished, j.seen) / 1000.0, 'unixepoch') AS first_seen_at, w.sync_key AS sync_id, j.kind, j.what, j.sample
FROM journal j
LEFT JOIN walk w ON w.walk_key = j.walk_key
WHERE j.walk_key IS NULL OR j.walk_key NOT IN (SELECT walk_key FROM pending);

CREATE VIEW upstream AS
SELECT host, aspect AS what, finding, evidence,
  strftime('%Y-%m-%dT%H:%M:%fZ', first_seen / 1000.0, 'unixepoch') AS first_seen_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', last_seen / 1000.0, 'unixepoch') AS last_seen_at
FROM manner;
