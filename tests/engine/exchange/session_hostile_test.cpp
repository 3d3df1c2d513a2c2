// A peer with a valid key that says anything: random bytes, real messages again, altered, in any order. It
// changes nothing, and costs a bounded amount of memory.
#include <gtest/gtest.h>
#include <malloc.h>

#include "tests/support/contact.hpp"
#include "tests/support/crash_county.hpp"

namespace satchel::exchange {
namespace {

using namespace support;

// Every row of every table of site.db.
std::vector<std::string> dump_of(database::Database& database) {
    std::vector<std::string> tables, rows;
    database::Statement names =
        must(database.prepare("SELECT name FROM main.sqlite_master WHERE type = 'table' ORDER BY name"));
    while (must(names.step())) tables.emplace_back(names.text(0));
    for (const std::string& table : tables) {
        std::string columns;
        database::Statement info = must(database.prepare("SELECT name FROM pragma_table_info(?)"));
        info.bind(1, table);
        while (must(info.step()))
            columns += (columns.empty() ? "quote(" : "||quote(") + std::string(info.text(0)) + ")";
        database::Statement select =
            must(database.prepare("SELECT " + columns + " FROM main." + table + " ORDER BY 1"));
        while (must(select.step())) rows.push_back(table + " " + std::string(select.text(0)));
    }
    return rows;
}

std::map<std::string, std::string> packs_of(NetSite& site) { return files_in(*site.disk, "packs"); }

std::size_t bytes_in_use() {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;  // large pieces are mapped by themselves
}

struct Caught {
    std::vector<ByteBuffer> by_first, by_second;
};

class Hostile : public testing::Test {
  protected:
    Hostile() {
        hub_.records.reset();  // the records of tests are not signed
        west_.records.reset();
        NetOptions options;
        options.on_the_way = [this](bool from_first, ByteBuffer& message) {
            (from_first ? caught_.by_first : caught_.by_second).push_back(message);
        };
        NetSite empty(crash_county().west, 62);
        empty.records.reset();
        EXPECT_TRUE(meet(empty, hub_, options).done);
        EXPECT_TRUE(meet(west_, hub_, options).done);  // both have all now: nothing true is news
        dump_ = dump_of(hub_.site->database());
        packs_ = packs_of(hub_);
        village_dump_ = dump_of(west_.site->database());
        village_packs_ = packs_of(west_);
    }

    // Feeds messages to a site, and lets it answer, until it ends the link; then over a new one.
    void feed(NetSite& site, const SiteId& peer, std::uint64_t seed, std::size_t count,
              const std::function<ByteBuffer(simulations::Seeded&)>& make) {
        simulations::Seeded random(seed);
        std::unique_ptr<Session> session;
        env::Instant now = site.world.clock.wall();
        const std::size_t before = bytes_in_use();
        std::size_t most = before;
        ByteBuffer answer;
        for (std::size_t i = 0; i < count; ++i) {
            if (!session) session = must(Session::begin(site.replica(), *site.wants, {.peer = peer}, now));
            const Result<void> taken = session->on_message(make(random), random.below(8) == 0, now);
            now.unix_ms += static_cast<std::int64_t>(random.below(2'000));
            bool goes_on = taken.has_value() && session->on_tick(now).has_value();
            for (int said = 0; goes_on && said < 8; ++said) {
                const Result<bool> next = session->next_message(answer, now);
                goes_on = next.has_value();
                if (!goes_on || !*next) break;
            }
            most = std::max(most, bytes_in_use());
            if (goes_on) continue;
            session->on_cut();
            session.reset();
        }
        if (session) session->on_cut();
        EXPECT_LE(most - before, 24u * 1024 * 1024);
    }

    void expect_unchanged() {
        EXPECT_EQ(dump_of(hub_.site->database()), dump_);
        EXPECT_EQ(packs_of(hub_), packs_);
        EXPECT_EQ(dump_of(west_.site->database()), village_dump_);
        EXPECT_EQ(packs_of(west_), village_packs_);
    }

    static ByteBuffer altered(ByteBuffer message, simulations::Seeded& random) {
        for (std::uint64_t left = 1 + random.below(4); left > 0 && !message.empty(); --left) {
            const std::size_t at = random.below(message.size());
            switch (random.below(4)) {
                case 0:
                    message[at] = static_cast<std::uint8_t>(random.next());
                    break;
                case 1:
                    message[at] ^= static_cast<std::uint8_t>(1u << random.below(8));
                    break;
                case 2:
                    message.resize(at);
                    break;
                default:
                    message.insert(message.begin() + static_cast<std::ptrdiff_t>(at),
                                   static_cast<std::uint8_t>(random.next()));
            }
        }
        return message;
    }

    NetSite hub_{crash_county().hub_after, 60};
    NetSite west_{crash_county().west, 61};
    Caught caught_;
    std::vector<std::string> dump_, village_dump_;
    std::map<std::string, std::string> packs_, village_packs_;
};

TEST_F(Hostile, RandomBytesChangeNothing) {
    const auto random_bytes = [](simulations::Seeded& random) {
        ByteBuffer message(random.below(300));
        random.fill(message);
        if (!message.empty()) message[0] = kExchangeVersion;
        return message;
    };
    feed(hub_, west_.id(), 1, 3'000, random_bytes);
    feed(west_, hub_.id(), 2, 3'000, random_bytes);
    expect_unchanged();
}

TEST_F(Hostile, RealMessagesAgainInAnyOrderChangeNothing) {
    feed(hub_, west_.id(), 3, 500, [this](simulations::Seeded& random) {
        return caught_.by_first[random.below(caught_.by_first.size())];
    });
    feed(west_, hub_.id(), 4, 500, [this](simulations::Seeded& random) {
        return caught_.by_second[random.below(caught_.by_second.size())];
    });
    expect_unchanged();
}

TEST_F(Hostile, AlteredMessagesChangeNothing) {
    feed(hub_, west_.id(), 5, 3'000, [this](simulations::Seeded& random) {
        return altered(caught_.by_first[random.below(caught_.by_first.size())], random);
    });
    feed(west_, hub_.id(), 6, 3'000, [this](simulations::Seeded& random) {
        return altered(caught_.by_second[random.below(caught_.by_second.size())], random);
    });
    expect_unchanged();
}

TEST_F(Hostile, WordsOfTheOtherSideSentBackChangeNothing) {
    feed(hub_, west_.id(), 7, 1'000, [this](simulations::Seeded& random) {
        return altered(caught_.by_second[random.below(caught_.by_second.size())], random);
    });
    expect_unchanged();
}

// A new village that wants everything, and a peer that promises the largest records and never ends them.
TEST_F(Hostile, PromisesOfLargeRecordsCostBoundedMemory) {
    simulations::SimDisk folder;
    write_files(folder, {{"film/film.mp4", noise(3'000'000, 9)}});
    publish(*hub_.site, folder, 1);
    review_everything(*hub_.site);
    must(hub_.wants->refresh());
    NetSite fresh(crash_county().west, 63);
    fresh.records.reset();
    NetOptions cut;
    cut.cut_after_bytes = 900'000;
    meet(fresh, hub_, cut);
    ASSERT_GT(must(fresh.wants->wanted()), 20u);
    const env::Instant now = fresh.world.clock.wall();
    const auto session = must(Session::begin(fresh.replica(), *fresh.wants, {.peer = hub_.id()}, now));
    ByteBuffer said;
    std::vector<Wanted> asked;
    while (must(session->next_message(said, now))) {
        const Message message = must(decode_message(said, fresh.id()));
        if (const auto* hello = std::get_if<Hello>(&message.body)) asked = hello->wanted;
    }
    ASSERT_GT(asked.size(), 10u);
    const std::size_t before = bytes_in_use();
    std::size_t most = before;
    std::uint64_t number = 1;
    const auto size = static_cast<std::uint32_t>(store::kRecordHeaderSize + store::kObjectMax);
    for (std::uint32_t offset = 0; offset < 2'000'000; offset += kPieceMax)
        for (const Wanted& wanted : asked) {
            ByteBuffer piece;
            encode_message(piece, {++number, Data{wanted.id, size, offset, ByteBuffer(kPieceMax)}},
                           hub_.id());
            must(session->on_message(piece, false, now));
            most = std::max(most, bytes_in_use());
        }
    EXPECT_LE(most - before, kPartsBytesMax + 4u * 1024 * 1024);
    session->on_cut();
}

}  // namespace
}  // namespace satchel::exchange
