-- The tasks of the period: those that were created in it.
CREATE TEMP TABLE counted AS
SELECT * FROM told
WHERE created_at >= (SELECT since FROM period) AND created_at < (SELECT until FROM period);

-- All of them, and how they stand.
SELECT 'totals', '', count(*), count(*) FILTER (WHERE outcome = 'succeeded'), count(*) FILTER (WHERE outcome = 'failed'),
  count(*) FILTER (WHERE outcome = 'ended'), count(*) FILTER (WHERE outcome = 'open'), count(*) FILTER (WHERE missing_since IS NOT NULL)
FROM counted;

-- By operation.
SELECT 'operation', name, count(*), count(*) FILTER (WHERE outcome = 'succeeded'), count(*) FILTER (WHERE outcome = 'failed'),
  count(*) FILTER (WHERE outcome = 'ended'), count(*) FILTER (WHERE outcome = 'open'), count(*) FILTER (WHERE missing_since IS NOT NULL)
FROM counted GROUP BY name ORDER BY name;

-- By user: by name, or by id where there is no name.
SELECT 'user', user, count(*), count(*) FILTER (WHERE outcome = 'succeeded'), count(*) FILTER (WHERE outcome = 'failed'),
  count(*) FILTER (WHERE outcome = 'ended'), count(*) FILTER (WHERE outcome = 'open'), count(*) FILTER (WHERE missing_since IS NOT NULL)
FROM counted GROUP BY user ORDER BY user;

-- By instance.
SELECT 'instance', instance_id, count(*), count(*) FILTER (WHERE outcome = 'succeeded'), count(*) FILTER (WHERE outcome = 'failed'),
  count(*) FILTER (WHERE outcome = 'ended'), count(*) FILTER (WHERE outcome = 'open'), count(*) FILTER (WHERE missing_since IS NOT NULL)
FROM counted GROUP BY instance_id ORDER BY instance_id;

-- By day, week or month of the report's time zone.
SELECT (SELECT unit FROM period), p.name, count(*), count(*) FILTER (WHERE outcome = 'succeeded'), count(*) FILTER (WHERE outcome = 'failed'),
  count(*) FILTER (WHERE outcome = 'ended'), count(*) FILTER (WHERE outcome = 'open'), count(*) FILTER (WHERE missing_since IS NOT NULL)
FROM counted c JOIN piece p ON p.since = (SELECT max(since) FROM piece WHERE since <= c.created_at)
GROUP BY p.name ORDER BY p.name;

-- Created before the period, and ended in it.
SELECT 'finished', '', count(*) FROM told
WHERE created_at < (SELECT since FROM period) AND outcome <> 'open'
  AND updated_at >= (SELECT since FROM period) AND updated_at < (SELECT until FROM period);

-- Without a time of creation, and first seen after the period began: they may be of it.
SELECT 'undated', '', count(*) FROM told
WHERE created_at IS NULL AND first_seen_at > (SELECT since FROM period);

-- No longer listed by the cloud: of those created in the period, and of those that were missed in it.
SELECT 'unlisted', '', count(*) FROM told
WHERE missing_since IS NOT NULL AND (
  (created_at >= (SELECT since FROM period) AND created_at < (SELECT until FROM period))
  OR (missing_since >= (SELECT since FROM period) AND missing_since < (SELECT until FROM period)));
