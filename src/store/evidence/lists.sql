
.headers on

-- The failures.
.print
.print Failures
SELECT created_at, instance_id, task_id, name, user, json_quote(error_code) AS error_code
FROM counted WHERE outcome = 'failed' ORDER BY created_at, task_key;

-- Created before the period, and ended in it.
.print
.print Created before, ended in the period
SELECT updated_at, instance_id, task_id, name, user, outcome FROM told
WHERE created_at < (SELECT since FROM period) AND outcome <> 'open'
  AND updated_at >= (SELECT since FROM period) AND updated_at < (SELECT until FROM period)
ORDER BY updated_at, task_key;

-- Without a time of creation.
.print
.print Without a time of creation
SELECT first_seen_at, instance_id, task_id, name, user, outcome FROM told
WHERE created_at IS NULL AND first_seen_at > (SELECT since FROM period)
ORDER BY task_key;

-- No longer listed.
.print
.print No longer listed
SELECT missing_since, missing_as, instance_id, task_id, name, user, created_at FROM told
WHERE missing_since IS NOT NULL AND (
  (created_at >= (SELECT since FROM period) AND created_at < (SELECT until FROM period))
  OR (missing_since >= (SELECT since FROM period) AND missing_since < (SELECT until FROM period)))
ORDER BY created_at, task_key;

