-- The bench policy (policies/bench.toml) for SQLite: the lines of the people from number ?1 to ?2.
--
-- 24317 is June 2026 in months since the year 0, so "age < 16" is "birth_month > 24317 - 16 * 12".
-- NULL is what is not known. A condition that is NULL pays nothing, but its amount may be owed: it is held.
-- disability: 0 none, 1 light, 2 severe, 3 extremely severe. care: 0 has care. pension: 0 none.
-- poverty: 0 not poor, 1 near-poor, 2 poor. difficult village: 0 as the commune, 1 yes, 2 no.
WITH
-- Whether each rule is met. The filter leaves out, at little cost, nearly all who qualify for nothing.
asked AS (
    SELECT
        person,
        commune,
        coalesce(person_channel, 0) AS channel,
        birth_month,
        person_disability AS disability,
        person_disability >= 2 AS disability_met,
        birth_month > 24317 - 16 * 12 AND person_care <> 0 AS care_met,
        birth_month <= 24317 - 70 * 12 AND person_pension = 0 AND NOT person_stable_income AS elderly_met,
        birth_month > 24317 - 6 * 12 AND (
            household_poverty >= 1
            OR household_difficult_village = 1
            OR (household_difficult_village = 0 AND commune_difficult)
        ) AS small_child_met,
        household_poverty = 2 OR (
            household_poverty = 1
            AND (birth_month > 24317 - 16 * 12 OR birth_month <= 24317 - 60 * 12)
        ) AS poor_met
    FROM people
    WHERE
        person BETWEEN ?1 AND ?2
        AND alive
        AND (
            household_poverty <> 0 OR household_poverty IS NULL
            OR person_disability >= 2 OR person_disability IS NULL
            OR (birth_month <= 24317 - 70 * 12 AND (person_pension = 0 OR person_pension IS NULL))
            OR (birth_month > 24317 - 16 * 12 AND (person_care <> 0 OR person_care IS NULL))
            OR (birth_month > 24317 - 6 * 12 AND household_difficult_village IS NOT 2
                AND (commune_difficult OR household_difficult_village IS NOT 0))
        )
),
-- The amounts, of those who do qualify, or may.
amounts AS (
    SELECT
        *,
        CASE
            WHEN birth_month > 24317 - 16 * 12 THEN iif(disability = 2, 900000, 1250000)
            WHEN birth_month > 24317 - 60 * 12 THEN iif(disability = 2, 750000, 1000000)
            ELSE iif(disability = 2, 950000, 1300000)
        END AS disability_amount,
        iif(birth_month > 24317 - 4 * 12, 1260000, 760000) AS care_amount
    FROM asked
    WHERE (disability_met OR care_met OR elderly_met OR small_child_met OR poor_met) IS NOT FALSE
),
-- The highest amount that is certain, and the highest that is possible.
highest AS (
    SELECT
        person,
        commune,
        channel,
        max(
            iif(disability_met, disability_amount, 0),
            iif(care_met, care_amount, 0),
            iif(elderly_met, 500000, 0),
            iif(small_child_met, 350000, 0),
            iif(poor_met, 150000, 0)
        ) AS certain,
        max(
            iif(disability_met IS NOT FALSE, disability_amount, 0),
            iif(care_met IS NOT FALSE, care_amount, 0),
            iif(elderly_met IS NOT FALSE, 500000, 0),
            iif(small_child_met IS NOT FALSE, 350000, 0),
            iif(poor_met IS NOT FALSE, 150000, 0)
        ) AS possible
    FROM amounts
)
-- An amount tells its programme, because no two programmes share one.
SELECT
    person,
    commune,
    channel,
    CASE certain WHEN 0 THEN 0 WHEN 150000 THEN 5 WHEN 350000 THEN 4 WHEN 500000 THEN 3
        WHEN 760000 THEN 2 WHEN 1260000 THEN 2 ELSE 1 END AS programme,
    certain AS amount,
    CASE WHEN possible = certain THEN 0 ELSE
        CASE possible WHEN 150000 THEN 5 WHEN 350000 THEN 4 WHEN 500000 THEN 3
            WHEN 760000 THEN 2 WHEN 1260000 THEN 2 ELSE 1 END
    END AS held_programme,
    possible - certain AS held_amount
FROM highest
