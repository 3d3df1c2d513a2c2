// The union of segments: which there are, which are linked, which end a feed. (Heads carry hashes; numbers
// only schedule transfers: Kleppmann, "Making CRDTs Byzantine Fault Tolerant", PaPoC 2022.)
#include <algorithm>
#include <deque>
#include <set>

#include "engine/base/check.hpp"
#include "engine/records/projection.hpp"
#include "engine/records/records.hpp"

namespace satchel::records {

namespace {

SegmentId id_at(const database::Statement& row, int column) {
    SegmentId id;
    const ByteView bytes = row.blob(column);
    SATCHEL_CHECK(bytes.size() == id.digest.size());
    std::copy(bytes.begin(), bytes.end(), id.digest.begin());
    return id;
}

FeedHead head_at(const database::Statement& row) {
    FeedHead head;
    head.head = id_at(row, 0);
    std::copy(row.blob(1).begin(), row.blob(1).end(), head.site.digest.begin());
    head.incarnation.number = static_cast<std::uint32_t>(row.integer(2));
    std::copy(row.blob(3).begin(), row.blob(3).end(), head.incarnation.tag.begin());
    head.next_sequence = static_cast<std::uint64_t>(row.integer(4));
    return head;
}

// Here, or in a log that is: where an older copy has fewer logs, or one is away.
bool is_out_of_reach(const Error& error) {
    return is_unreadable(error) || error.code == ErrorCode::kNotFound;
}

constexpr char kHeadColumns[] = "SELECT id, site, incarnation, tag, first + count FROM segment ";

}  // namespace

Result<bool> Records::has(const SegmentId& id) {
    if (uncommitted_.contains(id)) return true;
    SATCHEL_TRY(database::Statement select, database_.prepare("SELECT 1 FROM segment WHERE id = ?"));
    select.bind_blob(1, id.view());
    return select.step();
}

// Where it lies it can't be read, and something before it was not here yet: so nothing of it counts.
Result<bool> Records::is_waiting_unread(const SegmentId& id) {
    if (uncommitted_.contains(id)) return false;
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT 1 FROM segment WHERE id = ? AND linked = 0"));
    select.bind_blob(1, id.view());
    SATCHEL_TRY(const bool is_waiting, select.step());
    if (!is_waiting) return false;
    const Result<ByteBuffer> bytes = read_segment(id);
    if (!bytes.has_value() && !is_out_of_reach(bytes.error())) return bytes.error();
    return !bytes.has_value();
}

Result<bool> Records::is_linked(const SegmentId& id) {
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT 1 FROM segment WHERE id = ? AND linked = 1"));
    select.bind_blob(1, id.view());
    return select.step();
}

Result<std::vector<FeedHead>> Records::heads_of(const SiteId& site) {
    SATCHEL_TRY(database::Statement select,
                database_.prepare(std::string(kHeadColumns) + "WHERE site = ? AND head = 1"));
    select.bind_blob(1, site.view());
    std::vector<FeedHead> heads;
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) break;
        heads.push_back(head_at(select));
    }
    std::sort(heads.begin(), heads.end());
    return heads;
}

Result<void> Records::for_each_feed(
    const std::function<Result<void>(const SiteId&, std::span<const FeedHead>)>& each) {
    SATCHEL_TRY(database::Statement select,
                database_.prepare(std::string(kHeadColumns) + "WHERE head = 1 ORDER BY site"));
    std::vector<FeedHead> heads;
    const auto flush = [&]() -> Result<void> {
        if (heads.empty()) return {};
        std::sort(heads.begin(), heads.end());
        SATCHEL_TRY_VOID(each(heads.front().site, heads));
        heads.clear();
        return {};
    };
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) return flush();
        const FeedHead head = head_at(select);
        if (!heads.empty() && heads.front().site != head.site) SATCHEL_TRY_VOID(flush());
        heads.push_back(head);
    }
}

Result<ByteBuffer> Records::read_segment(const SegmentId& id) {
    LogPlace place;
    {
        SATCHEL_TRY(database::Statement select,
                    database_.prepare("SELECT log, place, size FROM segment WHERE id = ?"));
        select.bind_blob(1, id.view());
        SATCHEL_TRY(const bool found, select.step());
        if (!found)
            return fail(ErrorCode::kNotFound, "segment", "it is not here",
                        "fetch it again from a stick or another site");
        place = {static_cast<std::uint32_t>(select.integer(0)), static_cast<std::uint64_t>(select.integer(1)),
                 static_cast<std::uint32_t>(select.integer(2))};
    }
    return log_.read(place);
}

// Walks each branch from its head back to what is known, then sends oldest first. A walk holds ids only: a
// feed of five years of daily segments is 60 KB.
Result<void> Records::segments_after(const SiteId& site, std::span<const SegmentId> known,
                                     const std::function<Result<bool>(const SegmentId&, ByteView)>& sink) {
    SATCHEL_TRY(const std::vector<FeedHead> heads, heads_of(site));
    std::set<SegmentId> there(known.begin(), known.end());
    for (const FeedHead& head : heads) {
        std::vector<SegmentId> missing;
        SATCHEL_TRY(database::Statement previous,
                    database_.prepare("SELECT previous FROM segment WHERE id = ?"));
        std::optional<SegmentId> at = head.head;
        while (at && !there.contains(*at)) {
            missing.push_back(*at);
            previous.reset();
            previous.bind_blob(1, at->view());
            SATCHEL_TRY(const bool found, previous.step());
            at = found && !previous.is_null(0) ? std::optional(id_at(previous, 0)) : std::nullopt;
        }
        for (auto id = missing.rbegin(); id != missing.rend(); ++id) {
            const Result<ByteBuffer> bytes = read_segment(*id);
            // What is damaged here comes back from a peer; it must not keep the rest from travelling.
            if (!bytes.has_value() && is_out_of_reach(bytes.error())) continue;
            if (!bytes.has_value()) return bytes.error();
            SATCHEL_TRY(const bool go_on, sink(*id, *bytes));
            if (!go_on) return {};
            there.insert(*id);
        }
    }
    return {};
}

Result<std::vector<SegmentId>> Records::segments_up_to(const SiteId& site, const Incarnation& incarnation,
                                                       std::uint64_t next) {
    SATCHEL_TRY(
        database::Statement select,
        database_.prepare("SELECT id FROM segment AS each WHERE site = ?1 AND incarnation = ?2 AND tag = ?3 "
                          "AND first + count <= ?4 AND NOT EXISTS (SELECT 1 FROM segment AS after WHERE "
                          "after.previous = each.id AND after.first + after.count <= ?4)"));
    select.bind_blob(1, site.view())
        .bind(2, std::int64_t{incarnation.number})
        .bind_blob(3, incarnation.tag)
        .bind(4, static_cast<std::int64_t>(next));
    std::vector<SegmentId> ids;
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) return ids;
        ids.push_back(id_at(select, 0));
    }
}

Result<void> Records::for_each_waiting(const std::function<Result<bool>(ByteView)>& sink) {
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT id FROM segment WHERE linked = 0 ORDER BY site, incarnation, tag, "
                                  "first, id"));
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) return {};
        const Result<ByteBuffer> bytes = read_segment(id_at(select, 0));
        if (!bytes.has_value() && is_out_of_reach(bytes.error())) continue;
        if (!bytes.has_value()) return bytes.error();
        SATCHEL_TRY(const bool go_on, sink(*bytes));
        if (!go_on) return {};
    }
}

Result<void> Records::check_author(const SiteId& site) {
    SATCHEL_TRY(const std::optional<trust::SiteEntry> entry, trust_.site(site));
    if (!entry)
        return fail(ErrorCode::kNotFound, "segment", "the catalogue here does not name this site yet",
                    "bring the newest catalogue first, by link or stick");
    if (entry->state == trust::SiteState::kRevoked)
        return fail(ErrorCode::kRefused, entry->name, "this box was revoked",
                    "ask the hub; if the box is still in use it must join again with new keys");
    return {};
}

Result<Taken> Records::accept(ByteView segment) {
    SATCHEL_TRY(OpenedSegment opened, open_segment(segment, options_.network));
    Taken taken{opened.id, trust::site_id_of(opened.segment.site), false, opened.segment.events.size()};
    SATCHEL_TRY(const bool held, has(opened.id));
    SATCHEL_TRY(const bool is_wanting, is_waiting_unread(opened.id));
    if (held && !is_wanting) return taken;
    SATCHEL_TRY_VOID(check_author(taken.site));
    // This box said more than it knows: it is a copy, or was put back. It begins anew before the other branch
    // lies in the log: what is open is signed while the segment that it follows still ends where it begins,
    // and no power cut leaves this box going on at the other's end.
    if (taken.site == options_.site && !held) {
        SATCHEL_TRY(const bool overtaken, is_overtaken_by(opened.segment));
        if (overtaken) SATCHEL_TRY_VOID(begin_incarnation(Anew::kContact));
    }
    SATCHEL_TRY(const LogPlace place, log_.append(store::RecordType::kSegment, segment));
    uncommitted_.emplace(opened.id, Uncommitted{std::move(opened), place});
    taken.is_new = true;
    if (uncommitted_.size() >= kUncommittedMax) SATCHEL_TRY_VOID(commit());
    return taken;
}

Result<void> Records::commit() {
    if (uncommitted_.empty()) return {};
    SATCHEL_TRY_VOID(log_.sync());
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database_));
    for (const auto& [id, each] : uncommitted_) SATCHEL_TRY_VOID(insert(each.opened, each.place));
    SATCHEL_TRY_VOID(note_end());
    SATCHEL_TRY_VOID(transaction.commit());
    uncommitted_.clear();
    return {};
}

// Whether an own segment of this very incarnation, which is not here, has numbers that were given here to
// others, or are not given yet: then this box is a copy, or was put back to an older state.
Result<bool> Records::is_overtaken_by(const Segment& segment) {
    if (segment.incarnation != branch_.incarnation) return false;
    SATCHEL_TRY(const std::uint64_t next, next_sequence());
    const std::uint64_t last = segment.first + segment.events.size() - 1;
    if (last >= next) return true;
    SATCHEL_TRY(
        database::Statement select,
        database_.prepare("SELECT 1 FROM segment WHERE site = ?1 AND incarnation = ?2 AND tag = ?3 AND "
                          "first <= ?5 AND first + count > ?4 UNION "
                          "SELECT 1 FROM open_event WHERE sequence BETWEEN ?4 AND ?5"));
    select.bind_blob(1, options_.site.view())
        .bind(2, std::int64_t{segment.incarnation.number})
        .bind_blob(3, segment.incarnation.tag)
        .bind(4, static_cast<std::int64_t>(segment.first))
        .bind(5, static_cast<std::int64_t>(last));
    return select.step();
}

// In the caller's transaction.
Result<void> Records::insert(const OpenedSegment& opened, const LogPlace& place) {
    const Segment& segment = opened.segment;
    const SiteId site = trust::site_id_of(segment.site);
    {
        SATCHEL_TRY(
            database::Statement put,
            database_.prepare(
                "INSERT INTO segment (id, site, incarnation, tag, first, count, "
                "previous, linked, head, closed, log, place, size) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE "
                "SET log = excluded.log, place = excluded.place, size = excluded.size WHERE linked = 0"));
        put.bind_blob(1, opened.id.view())
            .bind_blob(2, site.view())
            .bind(3, std::int64_t{segment.incarnation.number})
            .bind_blob(4, segment.incarnation.tag)
            .bind(5, static_cast<std::int64_t>(segment.first))
            .bind(6, static_cast<std::int64_t>(segment.events.size()));
        if (segment.previous)
            put.bind_blob(7, segment.previous->view());
        else
            put.bind_null(7);
        put.bind(8, segment.closed_ms)
            .bind(9, std::int64_t{place.log})
            .bind(10, static_cast<std::int64_t>(place.at))
            .bind(11, std::int64_t{place.size});
        SATCHEL_TRY_VOID(put.run());
        if (database_.rows_changed() == 0) return {};
    }
    if (site == options_.site && segment.incarnation == branch_.incarnation) {
        SATCHEL_TRY(database::Statement drop,
                    database_.prepare("DELETE FROM open_event WHERE sequence BETWEEN ? AND ? AND event = ?"));
        for (std::size_t i = 0; i < segment.events.size(); ++i) {
            const auto sequence = static_cast<std::int64_t>(segment.first + i);
            drop.bind(1, sequence).bind(2, sequence).bind_blob(3, segment.events[i]);
            SATCHEL_TRY_VOID(drop.run());
        }
    }
    return link(opened);
}

// None: it is damaged, and forgotten, so that it is taken when it comes again; all else goes on. What this
// site said itself others may not have: it stays if the disk may give it another day.
Result<std::optional<OpenedSegment>> Records::read_waiting(const SegmentId& id) {
    const Result<ByteBuffer> bytes = read_segment(id);
    Result<OpenedSegment> opened =
        bytes.has_value() ? open_segment(*bytes, options_.network) : Result<OpenedSegment>(bytes.error());
    if (opened.has_value()) return std::optional(std::move(*opened));
    if (!is_out_of_reach(opened.error())) return opened.error();
    const bool is_all_gone = opened.error().code == ErrorCode::kDamaged;
    SATCHEL_TRY(database::Statement forget,
                database_.prepare("DELETE FROM segment WHERE id = ? AND (site != ? OR ?)"));
    SATCHEL_TRY_VOID(forget.bind_blob(1, id.view())
                         .bind_blob(2, options_.site.view())
                         .bind(3, std::int64_t{is_all_gone})
                         .run());
    return std::optional<OpenedSegment>();
}

// What this site said itself and could not read when its turn came: the disk may give it now.
Result<void> Records::link_waiting() {
    std::vector<SegmentId> waiting;
    {
        SATCHEL_TRY(database::Statement select,
                    database_.prepare("SELECT s.id FROM segment s LEFT JOIN segment p ON p.id = s.previous "
                                      "WHERE s.site = ? AND s.linked = 0 AND "
                                      "(s.previous IS NULL OR p.linked = 1)"));
        select.bind_blob(1, options_.site.view());
        while (true) {
            SATCHEL_TRY(const bool row, select.step());
            if (!row) break;
            waiting.push_back(id_at(select, 0));
        }
    }
    for (const SegmentId& id : waiting) {
        SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database_));
        SATCHEL_TRY(const std::optional<OpenedSegment> opened, read_waiting(id));
        if (opened) SATCHEL_TRY_VOID(link(*opened));
        SATCHEL_TRY_VOID(transaction.commit());
    }
    return {};
}

// A segment is linked once its predecessor is; then those that waited for it are.
Result<void> Records::link(const OpenedSegment& first) {
    SATCHEL_TRY(
        database::Statement can_link,
        database_.prepare("SELECT s.previous IS NULL OR p.linked = 1 FROM segment s LEFT JOIN segment p "
                          "ON p.id = s.previous AND p.site = s.site AND p.incarnation = s.incarnation "
                          "AND p.tag = s.tag AND p.first + p.count = s.first WHERE s.id = ?"));
    SATCHEL_TRY(database::Statement mark,
                database_.prepare("UPDATE segment SET linked = 1, head = 1 WHERE id = ?"));
    SATCHEL_TRY(database::Statement unmark,
                database_.prepare("UPDATE segment SET head = 0 WHERE id = ? AND head = 1"));
    SATCHEL_TRY(database::Statement waiting,
                database_.prepare("SELECT id FROM segment WHERE previous = ? AND linked = 0"));
    std::deque<SegmentId> to_link = {first.id};
    while (!to_link.empty()) {
        const SegmentId id = to_link.front();
        to_link.pop_front();
        can_link.reset();
        can_link.bind_blob(1, id.view());
        SATCHEL_TRY(const bool found, can_link.step());
        const bool linkable = found && can_link.integer(0) == 1;
        can_link.reset();
        if (!linkable) continue;
        std::optional<OpenedSegment> waited;
        if (id != first.id) {
            SATCHEL_TRY(waited, read_waiting(id));
            if (!waited) continue;
        }
        mark.bind_blob(1, id.view());
        SATCHEL_TRY_VOID(mark.run());
        SATCHEL_TRY_VOID(count(waited ? waited->segment : first.segment, unmark));
        waiting.reset();
        waiting.bind_blob(1, id.view());
        while (true) {
            SATCHEL_TRY(const bool row, waiting.step());
            if (!row) break;
            to_link.push_back(id_at(waiting, 0));
        }
    }
    return {};
}

Result<void> Records::count(const Segment& segment, database::Statement& unmark) {
    if (segment.previous) {
        unmark.bind_blob(1, segment.previous->view());
        SATCHEL_TRY_VOID(unmark.run());
    }
    const SiteId site = trust::site_id_of(segment.site);
    SATCHEL_TRY(const std::optional<trust::SiteEntry> entry, trust_.site(site));
    const Author author{site, entry && entry->role == trust::SiteRole::kHub, segment.incarnation};
    SATCHEL_TRY(Projection projection, Projection::create(database_));
    std::uint64_t sequence = segment.first;
    for (const ByteBuffer& event : segment.events)
        SATCHEL_TRY_VOID(projection.add(author, sequence++, event));
    return {};
}

Result<void> Records::for_each_event(
    const std::function<Result<void>(const SiteId&, const Identity&, const Event&)>& each) {
    SATCHEL_TRY_VOID(commit());
    const auto hand_out = [&](const Author& author, std::uint64_t sequence,
                              ByteView encoded) -> Result<void> {
        SATCHEL_TRY(const Event event, decode_event(encoded));
        return each(author.site, identity_of(author, sequence, event, encoded), event);
    };
    SATCHEL_TRY(
        database::Statement select,
        database_.prepare("SELECT id FROM segment WHERE linked = 1 ORDER BY site, incarnation, tag, first"));
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) break;
        SATCHEL_TRY(const ByteBuffer bytes, read_segment(id_at(select, 0)));
        SATCHEL_TRY(const OpenedSegment opened, open_segment(bytes, options_.network));
        const Author author{trust::site_id_of(opened.segment.site), false, opened.segment.incarnation};
        for (std::size_t i = 0; i < opened.segment.events.size(); ++i)
            SATCHEL_TRY_VOID(hand_out(author, opened.segment.first + i, opened.segment.events[i]));
    }
    SATCHEL_TRY(database::Statement open,
                database_.prepare("SELECT sequence, event FROM open_event ORDER BY sequence"));
    const Author self{options_.site, false, branch_.incarnation};
    while (true) {
        SATCHEL_TRY(const bool row, open.step());
        if (!row) return {};
        SATCHEL_TRY_VOID(hand_out(self, static_cast<std::uint64_t>(open.integer(0)), open.blob(1)));
    }
}

Result<std::uint64_t> Records::verify(const std::function<void(const Error&)>& found) {
    SATCHEL_TRY_VOID(commit());
    std::uint64_t whole = 0;
    SATCHEL_TRY(database::Statement select, database_.prepare("SELECT id FROM segment ORDER BY log, place"));
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) return whole;
        const SegmentId id = id_at(select, 0);
        const Result<ByteBuffer> bytes = read_segment(id);
        if (!bytes.has_value()) {
            found(bytes.error());
            continue;
        }
        const Result<OpenedSegment> opened = open_segment(*bytes, options_.network);
        if (!opened.has_value())
            found(opened.error());
        else if (opened->id != id)
            found(fail(ErrorCode::kDamaged, "segment", "the bytes are damaged",
                       "fetch it again from a stick or another site", "another one stands in its place"));
        else
            ++whole;
    }
}

Result<Digest> Records::digest() {
    SATCHEL_TRY_VOID(commit());
    Hasher hasher;
    SATCHEL_TRY_VOID(for_each_feed([&](const SiteId&, std::span<const FeedHead> heads) -> Result<void> {
        for (const FeedHead& head : heads) hasher.update(head.head.view());
        return {};
    }));
    return hasher.finish();
}

}  // namespace satchel::records
