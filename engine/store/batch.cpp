#include "engine/store/batch.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <set>

#include "engine/base/hash_many.hpp"

namespace satchel::store {

namespace {

constexpr std::size_t kLanes = 4;  // fewer leave hash_many's lanes empty

// Deals inputs of these sizes out between as many jobs as can run at the same time, the longest first, each
// to the job that has the least yet.
void deal(env::Offload& offload, std::span<const std::size_t> sizes, std::size_t least_each,
          const std::function<void(std::span<const std::size_t> mine)>& part) {
    std::vector<std::size_t> order(sizes.size());
    std::iota(order.begin(), order.end(), 0);
    const std::size_t jobs_wanted =
        std::clamp<std::size_t>(sizes.size() / least_each, 1, offload.parallelism());
    if (jobs_wanted == 1) return part(order);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return sizes[a] > sizes[b]; });
    std::vector<std::vector<std::size_t>> hands(jobs_wanted);
    std::vector<std::size_t> bytes(jobs_wanted, 0);
    for (const std::size_t input : order) {
        const auto least = std::min_element(bytes.begin(), bytes.end());
        *least += sizes[input];
        hands[static_cast<std::size_t>(least - bytes.begin())].push_back(input);
    }
    std::vector<std::function<void()>> jobs;
    for (const std::vector<std::size_t>& mine : hands) jobs.emplace_back([&part, &mine] { part(mine); });
    offload.run_all(jobs);
}

}  // namespace

void hash_pieces(env::Offload& offload, std::vector<Piece>& pieces) {
    std::vector<std::size_t> sizes;
    for (const Piece& piece : pieces) sizes.push_back(piece.bytes.size());
    deal(offload, sizes, kLanes, [&](std::span<const std::size_t> mine) {
        std::vector<ByteView> inputs;
        for (const std::size_t i : mine) inputs.push_back(pieces[i].bytes);
        std::vector<Digest> digests(inputs.size());
        hash_many(inputs, digests);
        for (std::size_t i = 0; i < mine.size(); ++i) pieces[mine[i]].id.digest = digests[i];
    });
}

std::vector<OpenedRecord> open_records(env::Offload& offload, std::span<const ByteView> records) {
    std::vector<OpenedRecord> opened(records.size());
    std::vector<std::size_t> sizes;
    for (const ByteView record : records) sizes.push_back(record.size());
    deal(offload, sizes, kLanes, [&](std::span<const std::size_t> mine) {
        std::vector<std::size_t> unpacked;
        std::vector<ByteView> inputs;
        for (const std::size_t i : mine) {
            // Whoever asks for the hash need not ask for the checksum too.
            const Result<RecordHeader> header = decode_header(records[i]);
            if (!header.has_value() || records[i].size() != kRecordHeaderSize + header->stored_size) continue;
            opened[i].header = *header;
            const Result<ByteView> plain = unpack_payload(*header, records[i], opened[i].unpacked);
            if (!plain.has_value()) continue;
            opened[i].plain = *plain;
            unpacked.push_back(i);
            inputs.push_back(*plain);
        }
        std::vector<Digest> digests(inputs.size());
        hash_many(inputs, digests);
        for (std::size_t i = 0; i < inputs.size(); ++i)
            opened[unpacked[i]].is_whole = digests[i] == opened[unpacked[i]].header.id;
    });
    return opened;
}

Result<std::vector<Piece*>> find_unknown(Store& store, std::vector<Piece>& pieces) {
    std::vector<Piece*> unknown;
    std::set<ChunkId> seen;
    for (Piece& piece : pieces) {
        if (!seen.insert(piece.id).second) continue;
        SATCHEL_TRY(piece.is_known, store.contains(piece.id));
        if (!piece.is_known) unknown.push_back(&piece);
    }
    return unknown;
}

Result<void> prepare_unknown(Store& store, env::Offload& offload, std::vector<Piece>& pieces) {
    SATCHEL_TRY(const std::vector<Piece*> unknown, find_unknown(store, pieces));
    std::vector<std::size_t> sizes;
    for (const Piece* piece : unknown) sizes.push_back(piece->bytes.size());
    deal(offload, sizes, 1, [&](std::span<const std::size_t> mine) {
        for (const std::size_t i : mine)
            unknown[i]->record = prepare_record(RecordType::kChunk, unknown[i]->bytes, unknown[i]->id.digest);
    });
    return {};
}

}  // namespace satchel::store
