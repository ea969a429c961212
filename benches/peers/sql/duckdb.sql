-- The bench policy (policies/bench.toml) for DuckDB: the lines of everybody.
--
-- 24317 is June 2026 in months since the year 0, so "age < 16" is "birth_month > 24317 - 16 * 12".
-- NULL is what is not known. A condition that is NULL pays nothing, but its amount may be owed: it is held.
-- disability: 0 none, 1 light, 2 severe, 3 extremely severe. care: 0 has care. pension: 0 none.
-- poverty: 0 not poor, 1 near-poor, 2 poor. difficult village: 0 as the commune, 1 yes, 2 no.
CREATE TABLE lines AS
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
        birth_month <= 24317 - 70 * 12 AND person_pension = 0 AND person_stable_income = 0 AS elderly_met,
        birth_month > 24317 - 6 * 12 AND (
            household_poverty >= 1
            OR household_difficult_village = 1
            OR (household_difficult_village = 0 AND commune_difficult = 1)
        ) AS small_child_met,
        household_poverty = 2 OR (
            household_poverty = 1
            AND (birth_month > 24317 - 16 * 12 OR birth_month <= 24317 - 60 * 12)
        ) AS poor_met
    FROM people
    WHERE alive = 1
        AND (
            household_poverty <> 0 OR household_poverty IS NULL
            OR person_disability >= 2 OR person_disability IS NULL
            OR (birth_month <= 24317 - 70 * 12 AND (person_pension = 0 OR person_pension IS NULL))
            OR (birth_month > 24317 - 16 * 12 AND (person_care <> 0 OR person_care IS NULL))
            OR (birth_month > 24317 - 6 * 12 AND household_difficult_village IS DISTINCT FROM 2
                AND (commune_difficult = 1 OR household_difficult_village IS DISTINCT FROM 0))
        )
),
-- The amounts, of those who do qualify, or may.
amounts AS (
    SELECT
        *,
        CASE
            WHEN birth_month > 24317 - 16 * 12 THEN CASE WHEN disability = 2 THEN 900000 ELSE 1250000 END
            WHEN birth_month > 24317 - 60 * 12 THEN CASE WHEN disability = 2 THEN 750000 ELSE 1000000 END
            ELSE CASE WHEN disability = 2 THEN 950000 ELSE 1300000 END
        END AS disability_amount,
        CASE WHEN birth_month > 24317 - 4 * 12 THEN 1260000 ELSE 760000 END AS care_amount
    FROM asked
    WHERE (disability_met OR care_met OR elderly_met OR small_child_met OR poor_met) IS DISTINCT FROM FALSE
),
-- The highest amount that is certain, and the highest that is possible.
highest AS (
    SELECT
        person,
        commune,
        channel,
        greatest(
            CASE WHEN disability_met THEN disability_amount ELSE 0 END,
            CASE WHEN care_met THEN care_amount ELSE 0 END,
            CASE WHEN elderly_met THEN 500000 ELSE 0 END,
            CASE WHEN small_child_met THEN 350000 ELSE 0 END,
            CASE WHEN poor_met THEN 150000 ELSE 0 END
        ) AS certain,
        greatest(
            CASE WHEN disability_met IS DISTINCT FROM FALSE THEN disability_amount ELSE 0 END,
            CASE WHEN care_met IS DISTINCT FROM FALSE THEN care_amount ELSE 0 END,
            CASE WHEN elderly_met IS DISTINCT FROM FALSE THEN 500000 ELSE 0 END,
            CASE WHEN small_child_met IS DISTINCT FROM FALSE THEN 350000 ELSE 0 END,
            CASE WHEN poor_met IS DISTINCT FROM FALSE THEN 150000 ELSE 0 END
        ) AS possible
    FROM amounts
)
-- An amount tells its programme, because no two programmes share one.
SELECT
    person,
    commune,
    channel,
    CASE certain WHEN 0 THEN 0 WHEN 150000 THEN 5 WHEN 350000 THEN 4 WHEN 500000 THEN 3
        WHEN 760000 THEN 2 WHEN 1260000 THEN 2 ELSE 1 END::UTINYINT AS programme,
    certain AS amount,
    CASE WHEN possible = certain THEN 0 ELSE
        CASE possible WHEN 150000 THEN 5 WHEN 350000 THEN 4 WHEN 500000 THEN 3
            WHEN 760000 THEN 2 WHEN 1260000 THEN 2 ELSE 1 END
    END::UTINYINT AS held_programme,
    possible - certain AS held_amount
FROM highest;
