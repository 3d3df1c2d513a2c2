// What all reports stand on: temporary tables of places and corrected fields. Private to engine/records.
#pragma once

#include "engine/records/report.hpp"

namespace satchel::records {

// A clock that stands before this is wrong: there was no Satchel yet. 2020-01-01T00:00:00Z.
inline constexpr std::int64_t kClockFloorMs = 1'577'836'800'000;

// place: origin of records -> code, town, county, whether the site is expected to report.
// corrected: identity -> headcount, course, gone (void or retracted), for what is corrected at all.
// seen: code -> newest `at`, in ms, and whether it says something itself: an office only corrects.
Result<void> make_report_tables(database::Database& database);
Result<void> drop_report_tables(database::Database& database);

// The first ms of a month in the network's offset, as UTC.
[[nodiscard]] std::int64_t begin_of(const Month& month, std::int32_t utc_offset_minutes);
[[nodiscard]] Month after(const Month& month);
[[nodiscard]] int days_of(const Month& month);

}  // namespace satchel::records
