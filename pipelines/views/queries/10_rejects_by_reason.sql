-- Records that could not be used, by reason.
SELECT reason, COUNT(*) AS records, MIN(arrived) AS "first", MAX(arrived) AS "last", MIN(detail) AS example
FROM {trueup}rejects
GROUP BY reason
ORDER BY records DESC, reason
