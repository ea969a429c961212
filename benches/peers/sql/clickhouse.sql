-- The bench policy (policies/bench.toml) for ClickHouse: the lines of everybody.
--
-- 24317 is June 2026 in months since the year 0, so "age < 16" is "birth_month > 24317 - 16 * 12".
-- NULL is what is not known. A condition that is NULL pays nothing, but its amount may be owed: it is held.
-- disability: 0 none, 1 light, 2 severe, 3 extremely severe. care: 0 has care. pension: 0 none.
-- poverty: 0 not poor, 1 near-poor, 2 poor. difficult village: 0 as the commune, 1 yes, 2 no.
INSERT INTO lines
WITH
-- Whether each rule is met. The filter leaves out, at little cost, nearly all who qualify for nothing.
asked AS (
    SELECT
        person,
        commune,
        ifNull(person_channel, 0) AS channel,
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
            ifNull(household_poverty, 1) <> 0
            OR ifNull(person_disability, 2) >= 2
            OR (birth_month <= 24317 - 70 * 12 AND ifNull(person_pension, 0) = 0)
            OR (birth_month > 24317 - 16 * 12 AND ifNull(person_care, 1) <> 0)
            OR (birth_month > 24317 - 6 * 12 AND ifNull(household_difficult_village, 1) <> 2
                AND (commune_difficult = 1 OR ifNull(household_difficult_village, 1) = 1))
        )
),
-- The highest amount that is certain, and the highest that is possible.
highest AS (
    SELECT
        person,
        commune,
        channel,
        multiIf(
            birth_month > 24317 - 16 * 12, if(disability = 2, 900000, 1250000),
            birth_month > 24317 - 60 * 12, if(disability = 2, 750000, 1000000),
            if(disability = 2, 950000, 1300000)
        ) AS disability_amount,
        if(birth_month > 24317 - 4 * 12, 1260000, 760000) AS care_amount,
        greatest(
            if(ifNull(disability_met, 0), disability_amount, 0),
            if(ifNull(care_met, 0), care_amount, 0),
            if(ifNull(elderly_met, 0), 500000, 0),
            if(ifNull(small_child_met, 0), 350000, 0),
            if(ifNull(poor_met, 0), 150000, 0)
        ) AS certain,
        greatest(
            if(ifNull(disability_met, 1), disability_amount, 0),
            if(ifNull(care_met, 1), care_amount, 0),
            if(ifNull(elderly_met, 1), 500000, 0),
            if(ifNull(small_child_met, 1), 350000, 0),
            if(ifNull(poor_met, 1), 150000, 0)
        ) AS possible
    FROM asked
)
-- An amount tells its programme, because no two programmes share one.
SELECT
    person,
    commune,
    channel,
    transform(certain, [0, 150000, 350000, 500000, 760000, 1260000], [0, 5, 4, 3, 2, 2], 1) AS programme,
    certain AS amount,
    if(possible = certain, 0, transform(possible, [150000, 350000, 500000, 760000, 1260000], [5, 4, 3, 2, 2], 1))
        AS held_programme,
    possible - certain AS held_amount
FROM highest
WHERE possible > 0
