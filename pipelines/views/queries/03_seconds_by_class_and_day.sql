-- Instance seconds of each class by day.
SELECT day, SUM(up * seconds) AS up, SUM(degraded * seconds) AS degraded, SUM(unavailable * seconds) AS unavailable,
  SUM(overrun * seconds) AS overrun, SUM(excused * seconds) AS excused, SUM(unknown * seconds) AS unknown,
  SUM(removed * seconds) AS removed
FROM {trueup}availability
GROUP BY day
ORDER BY day
