-- Corrected availability by scale set and day as it stood published at the moment of the views NAME_as_of, and now, where it has changed.
SELECT COALESCE(n.scale_set_id, o.scale_set_id) AS scale_set_id, COALESCE(n.day, o.day) AS day,
  o.corrected AS published, n.corrected AS now
FROM (
  SELECT scale_set_id, day, SUM(up * seconds) / NULLIF(SUM((up + degraded + unavailable + overrun) * seconds), 0) AS corrected
  FROM {trueup}availability GROUP BY scale_set_id, day
) n
FULL JOIN (
  SELECT scale_set_id, day, SUM(up * seconds) / NULLIF(SUM((up + degraded + unavailable + overrun) * seconds), 0) AS corrected
  FROM {trueup}availability_as_of GROUP BY scale_set_id, day
) o ON o.scale_set_id = n.scale_set_id AND o.day = n.day
WHERE (n.corrected IS NULL) <> (o.corrected IS NULL) OR ABS(n.corrected - o.corrected) > 1E-12
ORDER BY scale_set_id, day
