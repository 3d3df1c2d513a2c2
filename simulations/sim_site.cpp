#include "simulations/sim_site.hpp"

#include "engine/records/record_text.hpp"
#include "engine/records/report.hpp"
#include "simulations/world/crash_images.hpp"

namespace satchel::simulations {

namespace {
constexpr std::int32_t kOffsetMinutes = 480;
}

SimSite::SimSite(std::string name, std::uint64_t seed, SimDiskOptions options, Tree tree)
    : name_(std::move(name)), world_(seed), disk_(std::make_unique<SimDisk>(options, std::move(tree))) {}

Result<void> SimSite::open() {
    SATCHEL_TRY(site_, site::Site::open(*disk_, world_.world()));
    SATCHEL_TRY(wants_, exchange::Wants::create(site_->replica()));
    return {};
}

void SimSite::close() {
    wants_.reset();
    site_.reset();
}

// The old disk outlives the site that still writes to it as it goes.
void SimSite::replace_disk(std::unique_ptr<SimDisk> disk) {
    const std::unique_ptr<SimDisk> old = std::exchange(disk_, std::move(disk));
    close();
}

void SimSite::lose_power(Seeded& chance) { replace_disk(image(*disk_, random_plan(*disk_, chance.next()))); }

void SimSite::kill() { replace_disk(image(*disk_, {})); }

void SimSite::put_back(const Tree& older) {
    replace_disk(std::make_unique<SimDisk>(disk_->options(), older));
}

void SimSite::advance_to(std::int64_t true_ms) {
    if (true_ms > true_ms_) world_.clock.advance(static_cast<std::uint64_t>(true_ms - true_ms_));
    true_ms_ = std::max(true_ms_, true_ms);
}

Result<bool> SimSite::record(std::int64_t serial, const std::string& course) {
    SATCHEL_TRY(records::Event event,
                records::event_from_words(
                    "viewing", {"course=" + course, "headcount=" + std::to_string(serial), "dur=3600"},
                    kOffsetMinutes));
    const Result<std::vector<records::Identity>> said = site_->records().record({std::move(event)});
    if (!said.has_value()) return said.error();
    acknowledged.insert(serial);
    return true;
}

Result<std::multiset<std::int64_t>> SimSite::counted(bool own_only) {
    SATCHEL_TRY(database::Statement select,
                site_->database().prepare(own_only ? "SELECT amount FROM fact WHERE kind = 1 AND site = ?"
                                                   : "SELECT amount FROM fact WHERE kind = 1 AND site <> ?"));
    const SiteId self = own_only ? site_->self().id : SiteId{};
    select.bind_blob(1, self.view());
    std::multiset<std::int64_t> serials;
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) return serials;
        serials.insert(select.integer(0));
    }
}

Result<std::string> SimSite::report() {
    std::string text;
    const records::ReportQuery query{
        .by = {records::By::kSite}, .month = {}, .until = {}, .utc_offset_minutes = kOffsetMinutes};
    SATCHEL_TRY_VOID(records::make_report(
        site_->database(), query, [](const std::vector<std::string>&) -> Result<void> { return {}; },
        [&](const std::vector<records::Cell>& cells) -> Result<void> {
            for (const records::Cell& cell : cells) {
                if (const auto* number = std::get_if<std::int64_t>(&cell)) text += std::to_string(*number);
                if (const auto* word = std::get_if<std::string>(&cell)) text += *word;
                text += " ";
            }
            text += "\n";
            return {};
        }));
    return text;
}

}  // namespace satchel::simulations
