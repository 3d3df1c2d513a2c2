// How a log and its tables come together again after a stop, a restore or a copy of the folder.
#include <algorithm>

#include "engine/base/check.hpp"
#include "engine/base/encoding.hpp"
#include "engine/database/meta.hpp"
#include "engine/records/projection.hpp"
#include "engine/records/records.hpp"

namespace satchel::records {

namespace {

constexpr char kEndMeta[] = "records/end";
constexpr char kBranchMeta[] = "records/branch";

struct BranchFrame {
    Branch branch;
    Digest machine{};
};

ByteBuffer encode(const BranchFrame& frame) {
    ByteBuffer out;
    Writer(out)
        .u32(frame.branch.incarnation.number)
        .raw(frame.branch.incarnation.tag)
        .raw(frame.machine)
        .u8(static_cast<std::uint8_t>(frame.branch.reason));
    return out;
}

std::optional<BranchFrame> decode_branch(ByteView bytes) {
    Reader reader(bytes);
    BranchFrame frame;
    frame.branch.incarnation.number = reader.u32();
    const ByteView tag = reader.raw(frame.branch.incarnation.tag.size());
    if (reader.ok()) std::copy(tag.begin(), tag.end(), frame.branch.incarnation.tag.begin());
    frame.machine = reader.digest();
    const std::uint8_t reason = reader.u8();
    frame.branch.reason = static_cast<Anew>(reason);
    if (!reader.at_end() || reason < 1 || reason > 4) return std::nullopt;
    return frame;
}

}  // namespace

Result<void> Records::recover() {
    LogEnd from{1, 0};
    SATCHEL_TRY(const std::optional<ByteBuffer> noted, database::meta(database_, kEndMeta));
    if (noted) {
        Reader reader(*noted);
        from.log = reader.u32();
        from.bytes = reader.u64();
        SATCHEL_TRY(const std::optional<ByteBuffer> branch, database::meta(database_, kBranchMeta));
        const std::optional<BranchFrame> held = branch ? decode_branch(*branch) : std::nullopt;
        if (held) {
            branch_ = held->branch;
            machine_ = held->machine;
        } else {
            from = {1, 0};
        }
    }
    SATCHEL_TRY_VOID(recover_from(from));
    const bool is_older = log_.end() < from;
    if (is_older) {
        // The log is a copy from before what the tables know: they are made again from what it holds.
        SATCHEL_TRY_VOID(clear_tables());
        SATCHEL_TRY_VOID(recover_from({1, 0}));
    }
    SATCHEL_TRY_VOID(link_waiting());
    if (branch_.incarnation.number == 0) return begin_incarnation(is_older ? Anew::kOlderLog : Anew::kFirst);
    if (is_older) return begin_incarnation(Anew::kOlderLog);
    const bool both_known = machine_ != Digest{} && options_.machine != Digest{};
    if (both_known && machine_ != options_.machine) return begin_incarnation(Anew::kOtherMachine);
    return {};
}

// In steps of many records a transaction, so that a large log needs little memory.
Result<void> Records::recover_from(const LogEnd& from) {
    constexpr int kRecordsPerTransaction = 1000;
    std::optional<database::Transaction> transaction;
    int in_transaction = 0;
    LogEnd reached = from;
    const auto each = [&](const LogPlace& place, store::RecordType type, ByteView plain) -> Result<void> {
        if (!transaction) {
            SATCHEL_TRY(database::Transaction begun, database::Transaction::begin(database_));
            transaction.emplace(std::move(begun));
        }
        SATCHEL_TRY_VOID(adopt(place, type, plain));
        reached = {place.log, place.at + place.size};
        if (++in_transaction < kRecordsPerTransaction) return {};
        in_transaction = 0;
        ByteBuffer end;
        Writer(end).u32(reached.log).u64(reached.bytes);
        SATCHEL_TRY_VOID(database::set_meta(database_, kEndMeta, end));
        SATCHEL_TRY_VOID(transaction->commit());
        transaction.reset();
        return {};
    };
    SATCHEL_TRY_VOID(log_.open(from, each));
    if (transaction) {
        SATCHEL_TRY_VOID(log_.sync());  // what is adopted must be sure before it is built upon
        SATCHEL_TRY_VOID(note_end());
        SATCHEL_TRY_VOID(transaction->commit());
        transaction.reset();
    }
    return {};
}

Result<void> Records::adopt(const LogPlace& place, store::RecordType type, ByteView plain) {
    switch (type) {
        case store::RecordType::kEvent:
            return adopt_event(plain);
        case store::RecordType::kIncarnation:
            return adopt_incarnation(plain);
        case store::RecordType::kSegment: {
            // A log of another network, or bytes that were signed by nobody, are passed over.
            const Result<OpenedSegment> opened = open_segment(plain, options_.network);
            return opened.has_value() ? insert(*opened, place) : Result<void>();
        }
        case store::RecordType::kChunk:
        case store::RecordType::kCommit:
        case store::RecordType::kFreight:
        case store::RecordType::kKept:
            return {};
    }
    return {};
}

Result<void> Records::adopt_event(ByteView plain) {
    Reader reader(plain);
    const std::uint64_t sequence = reader.u64();
    const ByteView encoded = reader.raw(reader.left());
    if (!reader.ok() || !decode_event(encoded).has_value()) return {};
    SATCHEL_TRY(const std::uint64_t next, next_sequence());
    if (sequence < next) return {};  // a segment holds it
    SATCHEL_TRY(const std::optional<trust::SiteEntry> self, trust_.site(options_.site));
    const Author author{options_.site, self && self->role == trust::SiteRole::kHub, branch_.incarnation};
    SATCHEL_TRY(database::Statement insert,
                database_.prepare("INSERT OR REPLACE INTO open_event (sequence, event) VALUES (?, ?)"));
    insert.bind(1, static_cast<std::int64_t>(sequence)).bind_blob(2, encoded);
    SATCHEL_TRY_VOID(insert.run());
    SATCHEL_TRY(Projection projection, Projection::create(database_));
    return projection.add(author, sequence, encoded);
}

Result<void> Records::adopt_incarnation(ByteView plain) {
    const std::optional<BranchFrame> frame = decode_branch(plain);
    if (!frame) return {};
    branch_ = frame->branch;
    machine_ = frame->machine;
    return database::set_meta(database_, kBranchMeta, plain);
}

// What is open is signed under the old incarnation first: its numbers were given there.
Result<void> Records::begin_incarnation(Anew reason) {
    if (branch_.incarnation.number != 0) SATCHEL_TRY_VOID(close_segment());
    std::int64_t newest = branch_.incarnation.number;
    {
        SATCHEL_TRY(database::Statement select,
                    database_.prepare("SELECT coalesce(max(incarnation), 0) FROM segment WHERE site = ?"));
        select.bind_blob(1, options_.site.view());
        SATCHEL_TRY(const bool found, select.step());
        if (found) newest = std::max(newest, select.integer(0));
    }
    BranchFrame frame;
    frame.branch = {{static_cast<std::uint32_t>(newest + 1), {}}, reason};
    world_.random.fill(frame.branch.incarnation.tag);
    frame.machine = options_.machine;
    const ByteBuffer encoded = encode(frame);
    SATCHEL_TRY_VOID(log_.append(store::RecordType::kIncarnation, encoded));
    SATCHEL_TRY_VOID(log_.sync());
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database_));
    SATCHEL_TRY_VOID(adopt_incarnation(encoded));
    SATCHEL_TRY_VOID(note_end());
    return transaction.commit();
}

Result<void> Records::clear_tables() {
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database_));
    SATCHEL_TRY_VOID(
        database_.run("DELETE FROM segment; DELETE FROM open_event; DELETE FROM fact; "
                      "DELETE FROM correction; DELETE FROM rival; "
                      "DELETE FROM meta WHERE key IN ('records/end', 'records/branch')"));
    SATCHEL_TRY_VOID(transaction.commit());
    branch_ = {};
    machine_ = {};
    return {};
}

Result<void> Records::rebuild() {
    SATCHEL_TRY_VOID(commit());
    SATCHEL_TRY_VOID(clear_tables());
    SATCHEL_TRY_VOID(recover_from({1, 0}));
    SATCHEL_TRY_VOID(link_waiting());
    return branch_.incarnation.number == 0 ? begin_incarnation(Anew::kFirst) : Result<void>();
}

Result<std::vector<Branch>> Records::branches() {
    std::vector<Branch> found;
    FeedLog log(disk_, options_.log_target_bytes);
    SATCHEL_TRY_VOID(
        log.open({1, 0}, [&](const LogPlace&, store::RecordType type, ByteView plain) -> Result<void> {
            const std::optional<BranchFrame> frame =
                type == store::RecordType::kIncarnation ? decode_branch(plain) : std::nullopt;
            if (frame) found.push_back(frame->branch);
            return {};
        }));
    return found;
}

}  // namespace satchel::records
