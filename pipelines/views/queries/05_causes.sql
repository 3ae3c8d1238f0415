-- What operations explain of the trouble of instances, by verb and initiator.
-- A long episode has several rows and is counted where it begins.
SELECT verb, initiator, verdict, SUM(CASE WHEN "start" = onset THEN 1 ELSE 0 END) AS episodes,
  SUM(COALESCE(excused_seconds, 0)) AS excused_seconds, SUM(COALESCE(counted_seconds, 0)) AS counted_seconds
FROM {trueup}attributions
WHERE verb IS NOT NULL AND instance_id IS NOT NULL
GROUP BY verb, initiator, verdict
ORDER BY excused_seconds DESC, verb, initiator, verdict
