#include "simulations/sim_site.hpp"

#include "engine/records/record_text.hpp"
#include "engine/records/report.hpp"
#include "simulations/world/crash_images.hpp"

namespace satchel::simulations {

namespace {

constexpr std::int32_t kOffsetMinutes = 480;

records::ReportQuery by_site() {
    return {.by = {records::By::kSite}, .month = {}, .until = {}, .utc_offset_minutes = kOffsetMinutes};
}

}  // namespace

SimSite::SimSite(std::string name, std::uint64_t seed, SimDiskOptions options, Tree tree,
                 const Digest& machine)
    : name_(std::move(name)),
      world_(seed),
      machine_(machine),
      disk_(std::make_unique<SimDisk>(options, std::move(tree))) {}

Result<void> SimSite::open() {
    SATCHEL_TRY(site_, site::Site::open(*disk_, lent()));
    SATCHEL_TRY(wants_, exchange::Wants::create(site_->replica()));
    return {};
}

env::World SimSite::lent() {
    env::World world = world_.world();
    world.machine = machine_;
    return world;
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

Result<SimSite::Reported> SimSite::reported() {
    Reported sums;
    std::size_t viewings = 0, headcount = 0;  // columns; none is the site's
    const auto columns = [&](const std::vector<std::string>& names) -> Result<void> {
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (names[i] == "views") viewings = i;
            if (names[i] == "headcount") headcount = i;
        }
        return {};
    };
    const auto row = [&](const std::vector<records::Cell>& cells) -> Result<void> {
        if (const auto* number = std::get_if<std::int64_t>(&cells[viewings])) sums.viewings += *number;
        if (const auto* number = std::get_if<std::int64_t>(&cells[headcount])) sums.headcount += *number;
        return {};
    };
    SATCHEL_TRY_VOID(records::make_report(site_->database(), by_site(), columns, row));
    return sums;
}

Result<std::string> SimSite::report() {
    std::string text;
    SATCHEL_TRY_VOID(records::make_report(
        site_->database(), by_site(), [](const std::vector<std::string>&) -> Result<void> { return {}; },
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
