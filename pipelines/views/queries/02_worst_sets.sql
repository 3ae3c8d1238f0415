-- The scale sets with the lowest corrected availability.
SELECT scale_set_id,
  SUM(up * seconds) / NULLIF(SUM((up + degraded + unavailable + overrun) * seconds), 0) AS corrected,
  SUM((degraded + unavailable + overrun) * seconds) AS bad_seconds
FROM {trueup}availability
GROUP BY scale_set_id
HAVING SUM((up + degraded + unavailable + overrun) * seconds) > 0
ORDER BY corrected, scale_set_id
LIMIT 20
