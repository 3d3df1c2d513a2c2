// Reports: totals over the set of records, the same bytes at every site that holds the same set.
//
// Each counts an event once, after corrections: of each corrected field the correction with the greatest
// (revision, origin, epoch, sequence) wins; a retraction is final. Months are those of the network's offset,
// by the clock of the site as it stood ("as recorded"). Where the month is a column, `views_min` and
// `views_max` bound what it can be when clocks that cannot be right are taken as unknown.
//
// A cell is a number, or "not reported": of a site that has not said anything since, zero would be a lie.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/database/database.hpp"

namespace satchel::records {

enum class ReportName { kViewing, kEightSteps, kPowerOn };
enum class By { kSite, kTown, kCounty, kCourse, kMonth };
[[nodiscard]] std::optional<ReportName> report_name_of(std::string_view text);
[[nodiscard]] std::optional<By> by_of(std::string_view text);

struct Month {
    int year = 0, month = 0;
    friend auto operator<=>(const Month&, const Month&) = default;
};
[[nodiscard]] std::optional<Month> parse_month(std::string_view text);  // YYYY-MM

struct ReportQuery {
    ReportName name = ReportName::kViewing;
    std::vector<By> by = {By::kSite};  // one or two; eight-steps and power-on not by course
    std::optional<Month> month;
    std::optional<std::string> until;  // YYYY-MM-DD: days after it are not possible days
    std::int32_t utc_offset_minutes = 0;
};

struct NotReported {
    friend bool operator==(const NotReported&, const NotReported&) = default;
};
using Cell = std::variant<NotReported, std::int64_t, std::string>;
struct Report {
    std::vector<std::string> columns;
    std::uint64_t sites = 0;     // that are expected to report
    std::uint64_t reported = 0;  // of these
    std::uint64_t rivals = 0;    // identities that several contents claim
};

// Calls `row` for each row, in the order of its groups; `columns` is called once before.
Result<Report> make_report(database::Database& database, const ReportQuery& query,
                           const std::function<Result<void>(const std::vector<std::string>&)>& columns,
                           const std::function<Result<void>(const std::vector<Cell>&)>& row);

}  // namespace satchel::records
