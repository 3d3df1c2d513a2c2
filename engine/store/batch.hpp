// Chunks whose hashes and records are made side by side. Private to engine/store.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/env/offload.hpp"
#include "engine/store/store.hpp"

namespace satchel::store {

struct Piece {
    ByteView bytes;
    ChunkId id;
    bool is_known = false;  // the store has it
    std::optional<PreparedRecord> record;
};

void hash_pieces(env::Offload& offload, std::vector<Piece>& pieces);

// A record that was opened beside others.
struct OpenedRecord {
    bool is_whole = false;  // else open_record() says what is wrong
    RecordHeader header;
    ByteView plain;  // of the record itself, or of `unpacked`
    ByteBuffer unpacked;
};
// As open_record() of each, at the rate of hash_many; the payload's checksum is not asked, its hash is.
// Borrows the records.
[[nodiscard]] std::vector<OpenedRecord> open_records(env::Offload& offload,
                                                     std::span<const ByteView> records);

// Asks the store for each; one that stands twice is asked for once, and its second stays unknown.
// Then makes the records of those that the store lacks.
Result<void> prepare_unknown(Store& store, env::Offload& offload, std::vector<Piece>& pieces);
// The asking alone.
Result<std::vector<Piece*>> find_unknown(Store& store, std::vector<Piece>& pieces);

}  // namespace satchel::store
