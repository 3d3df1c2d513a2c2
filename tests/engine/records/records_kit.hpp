// Sites with records and nothing else, on simulated disks, for tests.
#pragma once

#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "engine/records/record_text.hpp"
#include "engine/records/records.hpp"
#include "engine/records/report.hpp"
#include "simulations/world/sim_disk.hpp"
#include "simulations/world/sim_world.hpp"

namespace satchel::records {

template <typename T>
T must(Result<T> result) {
    if (!result.has_value())
        throw std::runtime_error(result.error().about + ": " + result.error().reason.text() + " [" +
                                 result.error().detail + "]");
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

inline const NetworkId kNetwork{hash_of(bytes_of("a network"))};

inline trust::SigningKey key_of(std::uint8_t number) {
    std::array<std::uint8_t, 32> seed{};
    seed[0] = number;
    return trust::SigningKey::from_seed(seed);
}

inline trust::SiteEntry entry_of(std::uint8_t number, trust::SiteRole role) {
    const trust::SigningKey key = key_of(number);
    trust::SiteEntry entry;
    entry.id = trust::site_id_of(key.public_key());
    entry.name = "site-" + std::to_string(number);
    entry.role = role;
    entry.signing_key = key.public_key();
    entry.sealing_key = {hash_of(key.public_key().view())};
    return entry;
}

// Site 1 is a hub, as is site 2; all others are villages.
inline trust::SiteRole role_of(std::uint8_t number) {
    return number <= 2 ? trust::SiteRole::kHub : trust::SiteRole::kVillage;
}
inline constexpr std::uint8_t kSites = 6;

struct TestSite {
    explicit TestSite(std::uint8_t number, std::uint64_t seed = 1)
        : key(key_of(number)), world(seed * 1000 + number), owned(std::make_unique<simulations::SimDisk>()) {
        options.network = kNetwork;
        options.site = trust::site_id_of(key.public_key());
        world.clock.set_wall(1'764'000'000'000);
        open();
    }
    void open() {
        close();
        database = must(database::Database::open(*owned, world.world(), "site.db"));
        trust = std::make_unique<trust::TrustStore>(*database);
        for (std::uint8_t number = 1; number <= kSites; ++number)
            must(trust->put_site(entry_of(number, role_of(number))));
        records = must(Records::open(*owned, world.world(), *database, *trust, key, options));
    }
    void close() {
        records.reset();
        trust.reset();
        database.reset();
    }
    Identity say(const std::string& kind, const std::vector<std::string>& words) {
        return must(records->record({must(event_from_words(kind, words, 480))})).front();
    }
    // Gives `other` all that it lacks of every feed.
    void give(TestSite& other) {
        must(records->close_segment());
        std::vector<SiteId> sites;
        must(records->for_each_feed([&](const SiteId& site, std::span<const FeedHead>) -> Result<void> {
            sites.push_back(site);
            return {};
        }));
        for (const SiteId& site : sites) {
            std::vector<SegmentId> known;
            for (const FeedHead& head : must(other.records->heads_of(site))) known.push_back(head.head);
            must(records->segments_after(site, known, [&](const SegmentId&, ByteView bytes) -> Result<bool> {
                must(other.records->accept(bytes));
                return true;
            }));
        }
        must(other.records->commit());
    }
    std::string report(ReportName name = ReportName::kViewing, std::vector<By> by = {By::kSite},
                       std::optional<Month> month = std::nullopt) {
        std::string text;
        ReportQuery query;
        query.name = name;
        query.by = std::move(by);
        query.month = month;
        query.utc_offset_minutes = 480;
        const auto columns = [&](const std::vector<std::string>& names) -> Result<void> {
            for (const std::string& each : names) text += each + " ";
            text += "\n";
            return {};
        };
        const auto row = [&](const std::vector<Cell>& cells) -> Result<void> {
            for (const Cell& cell : cells) {
                if (const auto* number = std::get_if<std::int64_t>(&cell))
                    text += std::to_string(*number) + " ";
                else if (const auto* word = std::get_if<std::string>(&cell))
                    text += *word + " ";
                else
                    text += "- ";
            }
            text += "\n";
            return {};
        };
        must(make_report(*database, query, columns, row));
        return text;
    }
    // All that is counted and how it is ordered, byte for byte; not where it lies.
    std::string dump() {
        std::string text;
        for (const char* sql : {"SELECT hex(id), linked, head FROM segment ORDER BY id",
                                "SELECT origin, epoch, sequence, branch, kind, hex(hash), hex(site), at, "
                                "time, course, label, target, amount, "
                                "duration, mode FROM fact ORDER BY 1, 2, 3, 4",
                                "SELECT * FROM correction ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10",
                                "SELECT origin, epoch, sequence, branch, "
                                "hex(hash) FROM rival ORDER BY 1, 2, 3, 4, 5"}) {
            database::Statement select = must(database->prepare(sql));
            const int columns = std::string(sql).find("FROM fact") != std::string::npos    ? 15
                                : std::string(sql).find("FROM corr") != std::string::npos  ? 11
                                : std::string(sql).find("FROM rival") != std::string::npos ? 5
                                                                                           : 3;
            while (must(select.step())) {
                for (int i = 0; i < columns; ++i) text += std::string(select.text(i)) + "|";
                text += "\n";
            }
        }
        return text;
    }
    [[nodiscard]] SiteId id() const { return options.site; }

    trust::SigningKey key;
    simulations::SimWorld world;
    std::unique_ptr<simulations::SimDisk> owned;
    RecordsOptions options;
    std::unique_ptr<database::Database> database;
    std::unique_ptr<trust::TrustStore> trust;
    std::unique_ptr<Records> records;
};

}  // namespace satchel::records
