#include "engine/records/records.hpp"

#include <algorithm>

#include "engine/base/check.hpp"
#include "engine/base/encoding.hpp"
#include "engine/database/meta.hpp"
#include "engine/records/kinds.hpp"
#include "engine/records/projection.hpp"

namespace satchel::records {

namespace {

constexpr char kEndMeta[] = "records/end";
constexpr char kBootMeta[] = "records/boot";
constexpr std::size_t kSaltBytes = 4;

ByteBuffer event_frame(std::uint64_t sequence, ByteView encoded) {
    ByteBuffer frame;
    Writer(frame).u64(sequence).raw(encoded);
    return frame;
}

Result<Author> author_of(trust::TrustStore& trust, const SiteId& site, const Incarnation& incarnation) {
    SATCHEL_TRY(const std::optional<trust::SiteEntry> entry, trust.site(site));
    return Author{site, entry && entry->role == trust::SiteRole::kHub, incarnation};
}

}  // namespace

Result<std::unique_ptr<Records>> Records::open(env::Disk& disk, env::World world,
                                               database::Database& database, trust::TrustStore& trust,
                                               const trust::SigningKey& key, const RecordsOptions& options) {
    std::unique_ptr<Records> records(new Records(disk, world, database, trust, key, options));
    SATCHEL_TRY_VOID(records->recover());
    return records;
}

Result<std::uint64_t> Records::next_sequence() {
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT max(coalesce((SELECT max(sequence) FROM open_event), 0), "
                                  "coalesce((SELECT max(first + count - 1) FROM segment WHERE site = ? "
                                  "AND incarnation = ? AND tag = ?), 0)) + 1"));
    select.bind_blob(1, options_.site.view())
        .bind(2, std::int64_t{branch_.incarnation.number})
        .bind_blob(3, branch_.incarnation.tag);
    SATCHEL_TRY(const bool found, select.step());
    SATCHEL_CHECK(found);
    return static_cast<std::uint64_t>(select.integer(0));
}

Result<void> Records::note_end() {
    ByteBuffer end;
    Writer(end).u32(log_.end().log).u64(log_.end().bytes);
    return database::set_meta(database_, kEndMeta, end);
}

// How often the box started is not told by any clock that is lent: a steady clock that fell back means one
// more.
Result<void> Records::complete(std::vector<Event>& events) {
    SATCHEL_TRY(const std::optional<ByteBuffer> last, database::meta(database_, kBootMeta));
    std::uint64_t boot = 1, uptime = 0;
    if (last) {
        Reader reader(*last);
        boot = reader.u64();
        uptime = reader.u64();
    }
    const std::uint64_t now = world_.clock.steady_ms();
    if (now < uptime) ++boot;
    ByteBuffer seen;
    Writer(seen).u64(boot).u64(now);
    SATCHEL_TRY_VOID(database::set_meta(database_, kBootMeta, seen));
    for (Event& event : events) {
        if (event.find(kOriginField) != nullptr) continue;
        std::array<std::uint8_t, kSaltBytes> salt;
        world_.random.fill(salt);
        if (event.find(kAtField) == nullptr) event.put(kAtField, world_.clock.wall().unix_ms);
        event.put(kBootField, static_cast<std::int64_t>(boot));
        event.put(kUptimeField, static_cast<std::int64_t>(now));
        event.put(kSaltField, std::string(satchel::text_of(salt)));
    }
    return {};
}

Result<void> Records::restore_boot_count() {
    std::int64_t newest = 0;
    const Result<void> walked =
        for_each_event([&](const SiteId& site, const Identity&, const Event& event) -> Result<void> {
            if (site != options_.site) return {};
            const std::optional<std::int64_t> boot = event.integer(kBootField);
            newest = std::max(newest, boot.value_or(0));
            return {};
        });
    if (!walked.has_value() && !is_unreadable(walked.error())) return walked;
    // What could not be read may tell of more, and no start has the number of another.
    constexpr std::int64_t kStartsUnread = 10'000;
    if (!walked.has_value()) newest += kStartsUnread;
    ByteBuffer seen;  // an uptime that no clock has reached: the next event belongs to another start
    Writer(seen).u64(static_cast<std::uint64_t>(newest)).u64(UINT64_MAX);
    return database::set_meta(database_, kBootMeta, seen);
}

Result<void> Records::check_origin(const std::vector<Event>& events) {
    SATCHEL_TRY(const Author self, author_of(trust_, options_.site, branch_.incarnation));
    for (const Event& event : events)
        if (event.find(kOriginField) != nullptr && !self.is_hub)
            return fail(ErrorCode::kRefused, "record", "only a hub may record what happened at another site",
                        "bring the file to the hub, and record there what happened here");
    return {};
}

Result<std::vector<Identity>> Records::record(std::vector<Event> events) {
    SATCHEL_TRY_VOID(check_origin(events));
    SATCHEL_TRY_VOID(complete(events));
    std::vector<ByteBuffer> encoded;
    for (const Event& event : events) {
        encoded.push_back(encode(event));
        if (encoded.back().size() > kEventMax || event.fields.size() > kFieldsMax)
            return fail(ErrorCode::kTooLarge, "record", "this is larger than it may be",
                        "split it into smaller parts");
    }
    // Several are signed at once: a segment is one entry of the log, which a power cut keeps whole or not at
    // all. As entries of their own a later one could be found without an earlier one, and nothing behind such
    // a gap could ever be signed.
    bool at_once = events.size() > 1;
    if (at_once) SATCHEL_TRY_VOID(close_segment());
    SATCHEL_TRY(std::uint64_t sequence, next_sequence());
    if (at_once && sequence > 1) {
        SATCHEL_TRY(const std::optional<SegmentId> previous, segment_before(sequence));
        at_once = previous.has_value();
    }
    SATCHEL_TRY_VOID(at_once ? close_runs(sequence, encoded) : keep_open(encoded));
    SATCHEL_TRY(const Author self, author_of(trust_, options_.site, branch_.incarnation));
    std::vector<Identity> identities;
    for (std::size_t i = 0; i < encoded.size(); ++i)
        identities.push_back(identity_of(self, sequence++, events[i], encoded[i]));
    return identities;
}

Result<void> Records::keep_open(const std::vector<ByteBuffer>& events) {
    SATCHEL_TRY(std::uint64_t sequence, next_sequence());
    for (std::size_t i = 0; i < events.size(); ++i) {
        SATCHEL_TRY_VOID(log_.append(store::RecordType::kEvent, event_frame(sequence + i, events[i])));
        SATCHEL_TRY_VOID(log_.sync());  // each by itself, so that no cut leaves a gap
    }
    SATCHEL_TRY(const Author self, author_of(trust_, options_.site, branch_.incarnation));
    {
        SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database_));
        SATCHEL_TRY(database::Statement insert,
                    database_.prepare("INSERT OR REPLACE INTO open_event (sequence, event) VALUES (?, ?)"));
        SATCHEL_TRY(Projection projection, Projection::create(database_));
        for (const ByteBuffer& event : events) {
            insert.bind(1, static_cast<std::int64_t>(sequence)).bind_blob(2, event);
            SATCHEL_TRY_VOID(insert.run());
            SATCHEL_TRY_VOID(projection.add(self, sequence++, event));
        }
        SATCHEL_TRY_VOID(note_end());
        SATCHEL_TRY_VOID(transaction.commit());
    }
    SATCHEL_TRY(const std::uint64_t open, open_events());
    return open >= kEventsPerSegmentMax ? close_segment() : close_if_old();
}

Result<void> Records::close_runs(std::uint64_t first, const std::vector<ByteBuffer>& events) {
    constexpr std::size_t kLengthBytes = 10;
    std::vector<ByteBuffer> run;
    std::size_t bytes = 0;
    for (const ByteBuffer& event : events) {
        if (run.size() == kEventsPerSegmentMax || bytes + event.size() + kLengthBytes > kOpenPartMax) {
            SATCHEL_TRY_VOID(close_run(first, run));
            first += run.size();
            run.clear();
            bytes = 0;
        }
        bytes += event.size() + kLengthBytes;
        run.push_back(event);
    }
    if (!run.empty()) SATCHEL_TRY_VOID(close_run(first, run));
    return {};
}

Result<std::uint64_t> Records::open_events() {
    SATCHEL_TRY(database::Statement select, database_.prepare("SELECT count(*) FROM open_event"));
    SATCHEL_TRY(const bool found, select.step());
    return found ? static_cast<std::uint64_t>(select.integer(0)) : 0;
}

Result<std::uint64_t> Records::held_up_events() {
    std::uint64_t first = 0;
    {
        SATCHEL_TRY(database::Statement select,
                    database_.prepare("SELECT coalesce(min(sequence), 0) FROM open_event"));
        SATCHEL_TRY(const bool found, select.step());
        first = found ? static_cast<std::uint64_t>(select.integer(0)) : 0;
    }
    if (first <= 1) return std::uint64_t{0};
    SATCHEL_TRY(const std::optional<SegmentId> before, segment_before(first));
    return before ? Result<std::uint64_t>(0) : open_events();
}

// The segment of this branch that ends just before number `first`. Not simply the longest: a restored box may
// hold a longer line of its own feed, from before it was put back.
Result<std::optional<SegmentId>> Records::segment_before(std::uint64_t first) {
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT id FROM segment WHERE site = ? AND incarnation = ? AND tag = ? "
                                  "AND linked = 1 AND first + count = ? ORDER BY id LIMIT 1"));
    select.bind_blob(1, options_.site.view())
        .bind(2, std::int64_t{branch_.incarnation.number})
        .bind_blob(3, branch_.incarnation.tag)
        .bind(4, static_cast<std::int64_t>(first));
    SATCHEL_TRY(const bool found, select.step());
    if (!found) return std::optional<SegmentId>();
    SegmentId id;
    std::copy(select.blob(0).begin(), select.blob(0).end(), id.digest.begin());
    return std::optional(id);
}

// Numbers without a gap, and few enough bytes for one segment.
Result<bool> Records::close_run(std::uint64_t first, const std::vector<ByteBuffer>& events) {
    Segment segment;
    segment.site = key_.public_key();
    segment.incarnation = branch_.incarnation;
    segment.first = first;
    segment.closed_ms = world_.clock.wall().unix_ms;
    if (first > 1) {
        SATCHEL_TRY(segment.previous, segment_before(first));
        // Damage took it: it comes back from a peer, and the events are signed then.
        if (!segment.previous) return false;
    }
    segment.events = events;
    SealedSegment sealed = encode(segment, options_.network, key_);
    SATCHEL_TRY(const LogPlace place, log_.append(store::RecordType::kSegment, sealed.bytes));
    SATCHEL_TRY_VOID(log_.sync());
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database_));
    SATCHEL_TRY_VOID(insert({sealed.id, std::move(segment)}, place));
    SATCHEL_TRY_VOID(note_end());
    SATCHEL_TRY_VOID(transaction.commit());
    return true;
}

Result<void> Records::close_segment() {
    while (true) {
        std::uint64_t first = 0;
        std::size_t bytes = 0;
        std::vector<ByteBuffer> events;
        {
            SATCHEL_TRY(
                database::Statement select,
                database_.prepare("SELECT sequence, event FROM open_event ORDER BY sequence LIMIT ?"));
            select.bind(1, static_cast<std::int64_t>(kEventsPerSegmentMax));
            while (true) {
                SATCHEL_TRY(const bool row, select.step());
                if (!row) break;
                const auto sequence = static_cast<std::uint64_t>(select.integer(0));
                const ByteView event = select.blob(1);
                constexpr std::size_t kLengthBytes = 10;
                bytes += event.size() + kLengthBytes;
                if (events.empty()) first = sequence;
                if (sequence != first + events.size() || (bytes > kOpenPartMax && !events.empty())) break;
                events.emplace_back(event.begin(), event.end());
            }
        }
        if (events.empty()) return {};
        SATCHEL_TRY(const bool closed, close_run(first, events));
        if (!closed) return {};
    }
}

Result<void> Records::close_if_old() {
    std::optional<std::int64_t> oldest;
    {
        SATCHEL_TRY(database::Statement select,
                    database_.prepare("SELECT event FROM open_event ORDER BY sequence LIMIT 1"));
        SATCHEL_TRY(const bool row, select.step());
        if (!row) return {};
        SATCHEL_TRY(const Event event, decode_event(select.blob(0)));
        oldest = event.integer(kAtField);
    }
    const std::int64_t age = world_.clock.wall().unix_ms - oldest.value_or(0);
    // A clock that fell back makes a negative age: sign it, rather than wait for years.
    if (age >= 0 && age < kSegmentAgeMaxMs) return {};
    return close_segment();
}

}  // namespace satchel::records
