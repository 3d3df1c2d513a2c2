#include <set>

#include "engine/catalogue/quorum.hpp"
#include "engine/catalogue/site_catalogue.hpp"

namespace satchel::catalogue {

namespace {

constexpr char kJudgedRoot[] = "catalogue/judged-root";
constexpr std::int64_t kFoundMax = 50;  // who sees so many types more letters

std::string select_editions(std::string_view where) {
    return "SELECT lane, document, is_current FROM edition WHERE" + std::string(kHeardLane) +
           std::string(where);
}

Result<EditionState> state_from(Quorum& quorum, const database::Statement& row) {
    SATCHEL_TRY(Edition edition, decode_edition(row.blob(1)));
    SATCHEL_TRY(EditionState state, quorum.count(std::move(edition), row.text(0)));
    state.has_quorum = quorum.suffices(state, row.text(0));
    state.is_current = row.integer(2) != 0;
    return state;
}

Result<std::optional<EditionState>> one_edition(database::Database& database, trust::TrustStore& trust,
                                                std::string_view where, std::string_view course,
                                                std::optional<std::uint32_t> number = std::nullopt) {
    SATCHEL_TRY(database::Statement select, database.prepare(select_editions(where)));
    select.bind(1, course);
    if (number) select.bind(2, std::int64_t{*number});
    SATCHEL_TRY(const bool row, select.step());
    if (!row) return std::optional<EditionState>();
    SATCHEL_TRY(Quorum quorum, Quorum::create(database, trust));
    SATCHEL_TRY(EditionState state, state_from(quorum, select));
    return std::optional(std::move(state));
}

}  // namespace

Result<void> SiteCatalogue::for_each_edition(const std::function<Result<void>(const EditionState&)>& each) {
    SATCHEL_TRY(Quorum quorum, Quorum::create(database_, trust_));
    SATCHEL_TRY(database::Statement select, database_.prepare(select_editions("ORDER BY course, number")));
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) return {};
        SATCHEL_TRY(const EditionState state, state_from(quorum, select));
        SATCHEL_TRY_VOID(each(state));
    }
}

Result<std::optional<EditionState>> SiteCatalogue::current_edition(std::string_view course) {
    return one_edition(database_, trust_, "AND course = ? AND is_current", course);
}

Result<std::optional<EditionState>> SiteCatalogue::newest_edition(std::string_view course) {
    return one_edition(database_, trust_, "AND course = ? ORDER BY number DESC LIMIT 1", course);
}

Result<std::optional<EditionState>> SiteCatalogue::edition_before(std::string_view course,
                                                                  std::uint32_t number) {
    return one_edition(database_, trust_, "AND course = ? AND number < ? ORDER BY number DESC LIMIT 1",
                       course, number);
}

Result<std::vector<std::string>> SiteCatalogue::find_courses(std::string_view text) {
    SATCHEL_TRY(
        database::Statement select,
        database_.prepare("SELECT DISTINCT course FROM edition WHERE substr(course, 1, length(?1)) = ?1 OR "
                          "instr(lower(title), char(10) || lower(?1)) > 0 "
                          "ORDER BY course = ?1 DESC, course LIMIT ?2"));
    select.bind(1, text).bind(2, kFoundMax);
    std::vector<std::string> found;
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) return found;
        found.emplace_back(select.text(0));
        if (found.size() == 1 && found.front() == text) return found;
    }
}

// The version of the root that was judged by is kept too: a site that stopped between taking a root and this
// catches up when it opens.
Result<void> SiteCatalogue::refresh_currency() {
    SATCHEL_TRY(const std::optional<trust::Root> root, trust_.current_root());
    if (!root) return {};
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database_));
    SATCHEL_TRY(Quorum quorum, Quorum::create(database_, trust_));
    std::optional<std::string> course;
    while (true) {
        SATCHEL_TRY(
            database::Statement next,
            database_.prepare(
                "SELECT course FROM edition WHERE ?1 IS NULL OR course > ?1 ORDER BY course LIMIT 1"));
        if (course)
            next.bind(1, *course);
        else
            next.bind_null(1);
        SATCHEL_TRY(const bool row, next.step());
        if (!row) break;
        course = std::string(next.text(0));
        SATCHEL_TRY_VOID(quorum.settle(*course));
    }
    SATCHEL_TRY_VOID(trust_.raise(kJudgedRoot, root->version));
    return transaction.commit();
}

Result<bool> SiteCatalogue::is_judged_by_current_root() {
    SATCHEL_TRY(const std::optional<trust::Root> root, trust_.current_root());
    SATCHEL_TRY(const std::uint64_t judged, trust_.ratchet(kJudgedRoot));
    return !root || judged == root->version;
}

}  // namespace satchel::catalogue
