// What the store's index costs with a library of any size, without the bytes of one: packs of tiny chunks,
// true to format, sealed after as many chunks as a pack of 64 MiB has.
//
//     make_packs fill FOLDER PACKS CHUNKS_OF_EACH    puts, seals and merges as a store does
//     make_packs open FOLDER                         opens; times, memory, bytes of the index
//     make_packs look FOLDER CHUNKS LOOKUPS          looks for chunks that are there, in order and at random,
//                                                    and for some that are not
//     make_packs rebuild FOLDER                      makes the index again from the packs
//
// Each prints one line of JSON. Memory is the high water of the whole process (VmHWM).
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "engine/base/encoding.hpp"
#include "engine/env/os/clock.hpp"
#include "engine/env/os/offload.hpp"
#include "engine/env/os/posix_disk.hpp"
#include "engine/env/os/random.hpp"
#include "engine/store/pack_store.hpp"

namespace satchel::store {
namespace {

template <typename T>
T must(Result<T> result) {
    if (!result.has_value()) {
        std::fprintf(stderr, "%s: %s [%s]\n", result.error().about.c_str(), result.error().reason.text(),
                     result.error().detail.c_str());
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

ByteBuffer chunk(std::uint64_t number) {
    ByteBuffer plain;
    Writer(plain).u64(number);
    return plain;
}
ChunkId id_of(std::uint64_t number) { return ChunkId{hash_of(chunk(number))}; }

double seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

unsigned long memory_kib(const std::string& field) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(field + ":")) return std::stoul(line.substr(field.size() + 1));
    return 0;
}

struct Box {
    explicit Box(const std::string& folder) : offload(1), disk(must(env::os::PosixDisk::open(folder))) {
        database = must(database::Database::open(*disk, {clock, random, offload, {}}, "site.db"));
        must(env::make_directories(*disk, "packs"));
    }
    PackStore& open(PackLimits limits = {}) {
        store = std::make_unique<PackStore>(*disk, offload, *database, "packs", limits);
        must(store->recover());
        return *store;
    }
    env::os::SystemClock clock;
    env::os::SystemRandom random;
    env::os::ThreadOffload offload;
    std::unique_ptr<env::os::PosixDisk> disk;
    std::unique_ptr<database::Database> database;
    std::unique_ptr<PackStore> store;
};

void fill(const std::string& folder, std::uint64_t packs, std::uint64_t chunks) {
    Box box(folder);
    PackLimits limits;
    limits.rows_max = static_cast<std::size_t>(chunks);
    PackStore& store = box.open(limits);
    const double began = seconds();
    double slowest = 0;
    for (std::uint64_t number = 0; number < packs * chunks; ++number) {
        const double before = seconds();
        must(store.put(chunk(number)));
        slowest = std::max(slowest, seconds() - before);
    }
    must(store.commit());
    std::printf(
        "{\"chunks\": %llu, \"seconds\": %.1f, \"slowest_put_ms\": %.1f, \"runs\": %zu, \"vm_hwm_kib\": "
        "%lu}\n",
        static_cast<unsigned long long>(packs * chunks), seconds() - began, slowest * 1000,
        store.index().count(), memory_kib("VmHWM"));
}

void open(const std::string& folder) {
    Box box(folder);
    const unsigned long before = memory_kib("VmHWM");
    const double began = seconds();
    PackStore& store = box.open();
    const double took = seconds() - began;
    const unsigned long after = memory_kib("VmHWM");
    const StoreStats stats = must(store.stats());
    std::uint64_t bytes = 0;
    for (const env::EntryInfo& entry : must(box.disk->list("index"))) bytes += entry.size;
    const auto chunks = static_cast<double>(stats.chunks);
    std::printf(
        "{\"packs\": %llu, \"chunks\": %llu, \"open_ms\": %.1f, \"vm_hwm_kib\": %lu, \"of_opening_kib\": "
        "%lu, "
        "\"runs\": %zu, \"index_bytes_a_chunk\": %.2f, \"memory_bytes_a_chunk\": %.2f}\n",
        static_cast<unsigned long long>(stats.packs), static_cast<unsigned long long>(stats.chunks),
        took * 1000, after, after - before, store.index().count(), static_cast<double>(bytes) / chunks,
        static_cast<double>(store.index().memory()) / chunks);
}

void look(const std::string& folder, std::uint64_t chunks, std::uint64_t lookups) {
    Box box(folder);
    PackStore& store = box.open();
    std::uint64_t state = 1;
    const auto next = [&state] { return state = state * 6364136223846793005ull + 1442695040888963407ull; };
    const auto rate = [&](bool expected, const std::vector<ChunkId>& ids) {
        const double began = seconds();
        for (const ChunkId& id : ids)
            if (must(store.contains(id)) != expected) std::exit(2);
        return static_cast<double>(ids.size()) / (seconds() - began);
    };
    std::vector<ChunkId> in_order;
    std::vector<ChunkId> at_random;
    std::vector<ChunkId> missing;
    for (std::uint64_t i = 0; i < lookups; ++i) {
        in_order.push_back(id_of((chunks / 2 + i) % chunks));
        at_random.push_back(id_of((next() >> 20) % chunks));
        missing.push_back(id_of(chunks + i));
    }
    const double ordered = rate(true, in_order);
    const double random = rate(true, at_random);
    const double missed = rate(false, missing);
    std::printf(
        "{\"in_order_a_second\": %.0f, \"at_random_a_second\": %.0f, \"missing_a_second\": %.0f, "
        "\"vm_hwm_kib\": %lu}\n",
        ordered, random, missed, memory_kib("VmHWM"));
}

void rebuild(const std::string& folder) {
    Box box(folder);
    PackStore& store = box.open();
    const double began = seconds();
    must(store.rebuild_index());
    std::printf("{\"chunks\": %llu, \"seconds\": %.1f, \"vm_hwm_kib\": %lu}\n",
                static_cast<unsigned long long>(must(store.stats()).chunks), seconds() - began,
                memory_kib("VmHWM"));
}

int run(const std::vector<std::string>& words) {
    const auto number = [&](std::size_t at) { return std::stoull(words[at]); };
    if (words.size() == 4 && words[0] == "fill")
        fill(words[1], number(2), number(3));
    else if (words.size() == 2 && words[0] == "open")
        open(words[1]);
    else if (words.size() == 4 && words[0] == "look")
        look(words[1], number(2), number(3));
    else if (words.size() == 2 && words[0] == "rebuild")
        rebuild(words[1]);
    else
        return 2;
    return 0;
}

}  // namespace
}  // namespace satchel::store

int main(int count, char** words) { return satchel::store::run({words + 1, words + count}); }
