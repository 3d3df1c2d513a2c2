// What the tests of the store share: bytes from a seed, a file on a simulated disk, a store that seals early.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/encoding.hpp"
#include "engine/store/ingest.hpp"
#include "engine/store/pack_scan.hpp"
#include "engine/store/pack_store.hpp"
#include "simulations/world/crash_images.hpp"
#include "simulations/world/sim_world.hpp"

namespace satchel::store {

// The value of a result that must be there; the test ends with the error's words otherwise.
template <typename T>
T must(Result<T> result) {
    if (!result.has_value()) {
        const Error& error = result.error();
        throw std::runtime_error(error.about + ": " + error.reason.text() + " [" + error.detail + "]");
    }
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// Bytes that do not compress: SplitMix64 from the seed, words little-endian.
inline ByteBuffer noise(std::size_t size, std::uint64_t seed) {
    ByteBuffer bytes(size);
    simulations::Seeded(seed).fill(bytes);
    return bytes;
}

inline ByteBuffer buffer_of(std::string_view text) { return {text.begin(), text.end()}; }

// A golden vector, by its path in schemas/: "vectors/record/raw.bin".
inline ByteBuffer vector_file(const std::string& path) {
    std::ifstream in(std::string(SATCHEL_SOURCE_DIR) + "/schemas/" + path, std::ios::binary);
    EXPECT_TRUE(in.good()) << path;
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    return buffer_of(text);
}

inline void put_file(env::Disk& disk, const std::string& path, ByteView bytes) {
    const std::unique_ptr<env::File> file = must(disk.open(path, env::OpenMode::kWrite));
    must(file->truncate(0));
    must(file->write_at(0, bytes));
    must(file->sync());
}

inline ByteBuffer get_file(env::Disk& disk, const std::string& path) {
    return must(env::read_file(disk, path, 512 * 1024 * 1024));
}

// Small packs and groups, so that a test of a few KiB seals several.
inline constexpr PackLimits kSmallPacks = {.target_bytes = 32 * 1024, .group_bytes = 8 * 1024};

// One run of a program that has a store: site.db and packs/ on a disk that outlives it.
// How many states a crash test visits: each pending write by itself and many more mixes in a soak.
inline simulations::CrashBudget crash_budget(simulations::CrashBudget in_gate) {
    if (std::getenv("SATCHEL_SOAK") == nullptr) return in_gate;
    return {.singles_max = 64, .random_mixes = 80 * in_gate.random_mixes};
}

class Opened {
  public:
    explicit Opened(simulations::SimDisk& disk, PackLimits limits = kSmallPacks) : disk_(disk) {
        database_ = must(database::Database::open(disk, world_.world(), "site.db"));
        must(env::make_directories(disk, "packs"));
        store_ = std::make_unique<PackStore>(disk, world_.offload, *database_, "packs", limits);
        must(store_->recover());
    }
    PackStore& operator*() { return *store_; }
    PackStore* operator->() { return store_.get(); }
    database::Database& database() { return *database_; }
    simulations::SimDisk& disk() { return disk_; }

  private:
    simulations::SimDisk& disk_;
    simulations::SimWorld world_;
    std::unique_ptr<database::Database> database_;
    std::unique_ptr<PackStore> store_;
};

inline std::vector<Damage> damages_of(Store& store) {
    std::vector<Damage> damages;
    must(store.verify([&](const Damage& damage) { damages.push_back(damage); },
                      [](std::uint64_t, std::uint64_t) {}));
    return damages;
}

// Where in which pack the record of this chunk begins, as a look-up finds it.
struct Position {
    std::string path;
    std::uint64_t place = 0;
    std::uint32_t stored = 0;
};
inline Position position_of(Opened& store, const ChunkId& id) {
    const std::optional<Spot> spot = must(store->spot_of(id));
    if (!spot) throw std::runtime_error("no such chunk");
    Position position;
    position.path = "packs/" + pack_name(spot->pack);
    const auto take = [&](const IndexRow& row) {
        position.place = row.place;
        position.stored = row.stored_size;
    };
    if (spot->slot) {
        must(store->for_each_row(spot->pack, [&](const IndexRow& row, std::uint32_t slot) -> Result<void> {
            if (slot == *spot->slot) take(row);
            return {};
        }));
        return position;
    }
    const std::unique_ptr<env::File> file = must(store.disk().open(position.path, env::OpenMode::kRead));
    must(scan_records(*file, {kPackHeaderSize, must(file->size()), 0},
                      [&](const IndexRow& row) -> Result<void> {
                          if (row.id == id) take(row);
                          return {};
                      }));
    return position;
}

}  // namespace satchel::store
