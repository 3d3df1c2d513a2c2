#include "engine/store/batch.hpp"

#include <algorithm>
#include <functional>
#include <set>

#include "engine/base/hash_many.hpp"

namespace satchel::store {

namespace {

constexpr std::size_t kLanes = 4;  // fewer leave hash_many's lanes empty

// Shares [0, count) out between as many jobs as can run at the same time.
void share(env::Offload& offload, std::size_t count, std::size_t least_each,
           const std::function<void(std::size_t from, std::size_t to)>& part) {
    const std::size_t jobs_wanted = std::clamp<std::size_t>(count / least_each, 1, offload.parallelism());
    if (jobs_wanted == 1) return part(0, count);
    std::vector<std::function<void()>> jobs;
    for (std::size_t job = 0; job < jobs_wanted; ++job)
        jobs.emplace_back([&part, from = count * job / jobs_wanted, to = count * (job + 1) / jobs_wanted] {
            part(from, to);
        });
    offload.run_all(jobs);
}

}  // namespace

void hash_pieces(env::Offload& offload, std::vector<Piece>& pieces) {
    share(offload, pieces.size(), kLanes, [&](std::size_t from, std::size_t to) {
        std::vector<ByteView> inputs;
        for (std::size_t i = from; i < to; ++i) inputs.push_back(pieces[i].bytes);
        std::vector<Digest> digests(inputs.size());
        hash_many(inputs, digests);
        for (std::size_t i = from; i < to; ++i) pieces[i].id.digest = digests[i - from];
    });
}

std::vector<OpenedRecord> open_records(env::Offload& offload, std::span<const ByteView> records) {
    std::vector<OpenedRecord> opened(records.size());
    share(offload, records.size(), kLanes, [&](std::size_t from, std::size_t to) {
        std::vector<std::size_t> unpacked;
        std::vector<ByteView> inputs;
        for (std::size_t i = from; i < to; ++i) {
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
    share(offload, unknown.size(), 1, [&](std::size_t from, std::size_t to) {
        for (std::size_t i = from; i < to; ++i)
            unknown[i]->record = prepare_record(RecordType::kChunk, unknown[i]->bytes, unknown[i]->id.digest);
    });
    return {};
}

}  // namespace satchel::store
