// The records of one site: what it says itself and what it holds of others. The state is a set of signed
// segments, named by hash, that only grows; every report is a function of that set.
//
//   record() -> feed.log (synced) -> acknowledged -> a segment, signed before any exchange -> carried ->
//   merged
//
// Crash points: what record() returned and what commit() returned for lies synced in feed.log; the tables in
// site.db follow in one transaction, and open() makes up what they miss. Without site.db all of them are made
// again.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/database/database.hpp"
#include "engine/env/world.hpp"
#include "engine/records/feed_log.hpp"
#include "engine/records/segment.hpp"
#include "engine/trust/trust_store.hpp"

namespace satchel::records {

// An unsigned event waits no longer than this for its segment.
inline constexpr std::int64_t kSegmentAgeMaxMs = 24ll * 3600 * 1000;
// What was taken and not committed, in memory: some 16 MiB of the largest.
inline constexpr std::size_t kUncommittedMax = 64;

struct FeedHead {  // the end of an unbroken run of segments of one feed; a forked feed has several
    SiteId site;
    Incarnation incarnation;
    std::uint64_t next_sequence = 1;
    SegmentId head;
    friend auto operator<=>(const FeedHead&, const FeedHead&) = default;
};

struct Taken {
    SegmentId id;
    SiteId site;
    bool is_new = false;
    std::size_t events = 0;
};

struct RecordsOptions {
    NetworkId network;
    SiteId site;
    Digest
        machine{};  // of this box's hardware: another one means that the folder was cloned; zero: not known
    std::uint64_t log_target_bytes = kLogTargetBytes;
};

// Why a feed began anew.
enum class Anew : std::uint8_t { kFirst = 1, kOtherMachine = 2, kOlderLog = 3, kContact = 4 };

struct Branch {
    Incarnation incarnation;
    Anew reason = Anew::kFirst;
};

class Records {
  public:
    // `key`: the site's own; everything borrowed outlives this.
    static Result<std::unique_ptr<Records>> open(env::Disk& disk, env::World world,
                                                 database::Database& database, trust::TrustStore& trust,
                                                 const trust::SigningKey& key, const RecordsOptions& options);

    // -- recording ------------------------------------------------------------------------------------
    // Numbers and keeps the events; when this returns they outlive a power cut. Of those that fit one segment
    // a cut before that keeps all or none; of more, whole segments in order; the first ones where damage
    // keeps this site from signing. Adds `at`, boot and salt where the event was not made elsewhere.
    // kRefused: a record made elsewhere at a site that is no hub.
    Result<std::vector<Identity>> record(std::vector<Event> events);
    // Of a correction or retraction that a person writes: an id without its branch is made whole where only
    // one event has that number. kNotFound: no such event is here. kUsage: several, or a field that its kind
    // lacks. kRefused: of another site's event, at a site that is no hub.
    Result<void> complete_reference(Event& event);
    Result<void> close_segment();  // signs what is open; nothing to do if nothing is
    Result<void> close_if_old();   // the same once the oldest open event is kSegmentAgeMaxMs old
    Result<std::uint64_t> open_events();
    // Of these, those that can't be signed: damage took what was recorded just before them, and no site has
    // brought it back.
    Result<std::uint64_t> held_up_events();

    // -- exchange -------------------------------------------------------------------------------------
    Result<std::vector<FeedHead>> heads_of(const SiteId& site);  // sorted
    Result<void> for_each_feed(
        const std::function<Result<void>(const SiteId&, std::span<const FeedHead>)>& each);  // by site id
    // What a holder of `known` (of this site's feed) lacks, oldest first; `sink` returns false to stop.
    Result<void> segments_after(const SiteId& site, std::span<const SegmentId> known,
                                const std::function<Result<bool>(const SegmentId&, ByteView)>& sink);
    // Those of a branch that end before event number `next`, by number: the last, and of a fork each.
    Result<std::vector<SegmentId>> segments_up_to(const SiteId& site, const Incarnation& incarnation,
                                                  std::uint64_t next);
    // What is here and not linked, since what comes before it is not here.
    Result<void> for_each_waiting(const std::function<Result<bool>(ByteView)>& sink);
    Result<bool> has(const SegmentId& id);
    Result<bool> is_linked(const SegmentId& id);  // here, committed, and all before it too
    // Whether segments of this site may be taken; errors as accept().
    Result<void> check_author(const SiteId& site);
    // Checked and appended; sure only after commit(), which comes by itself after kUncommittedMax. kRefused:
    // a signature that does not hold, or a revoked site. kNotFound: a site that the roster does not name
    // (yet).
    Result<Taken> accept(ByteView segment);
    Result<void> commit();

    // -- reading --------------------------------------------------------------------------------------
    Result<void> for_each_event(
        const std::function<Result<void>(const SiteId&, const Identity&, const Event&)>& each);
    // Every segment read again, every signature checked; what is damaged is named. Returns how many are
    // whole.
    Result<std::uint64_t> verify(const std::function<void(const Error&)>& found);
    // Over all that is linked here: equal at two sites that hold the same set.
    Result<Digest> digest();
    // Makes all tables of records again from the log, and forgets segments that are damaged there, so that
    // they are fetched again.
    Result<void> rebuild();
    // For a site.db that was lost: the next start of the box counts on from the newest that an own event
    // names.
    Result<void> restore_boot_count();
    [[nodiscard]] const Branch& branch() const { return branch_; }
    Result<std::vector<Branch>> branches();  // of this site's own feed, as the log tells

  private:
    Records(env::Disk& disk, env::World world, database::Database& database, trust::TrustStore& trust,
            const trust::SigningKey& key, const RecordsOptions& options)
        : disk_(disk),
          world_(world),
          database_(database),
          trust_(trust),
          key_(key),
          options_(options),
          log_(disk, options.log_target_bytes) {}

    struct Uncommitted {
        OpenedSegment opened;
        LogPlace place;
    };

    Result<void> recover();
    Result<void> recover_from(const LogEnd& from);
    Result<void> adopt(const LogPlace& place, store::RecordType type, ByteView plain);
    Result<void> adopt_event(ByteView plain);
    Result<void> adopt_incarnation(ByteView plain);
    Result<void> begin_incarnation(Anew reason);
    Result<void> note_end();
    Result<std::uint64_t> next_sequence();
    Result<void> insert(const OpenedSegment& opened, const LogPlace& place);
    Result<void> link(const OpenedSegment& first);
    Result<void> link_waiting();
    Result<bool> is_waiting_unread(const SegmentId& id);
    Result<std::optional<OpenedSegment>> read_waiting(const SegmentId& id);
    Result<void> count(const Segment& segment, database::Statement& unmark);
    Result<bool> is_overtaken_by(const Segment& segment);
    Result<std::optional<SegmentId>> segment_before(std::uint64_t first);
    Result<bool> close_run(std::uint64_t first, const std::vector<ByteBuffer>& events);
    Result<void> close_runs(std::uint64_t first, const std::vector<ByteBuffer>& events);
    Result<void> keep_open(const std::vector<ByteBuffer>& events);
    Result<ByteBuffer> read_segment(const SegmentId& id);
    Result<void> clear_tables();
    Result<void> complete(std::vector<Event>& events);
    Result<void> check_origin(const std::vector<Event>& events);

    env::Disk& disk_;
    env::World world_;
    database::Database& database_;
    trust::TrustStore& trust_;
    const trust::SigningKey& key_;
    const RecordsOptions options_;
    FeedLog log_;
    Branch branch_;
    Digest machine_{};  // that this incarnation began on
    std::map<SegmentId, Uncommitted> uncommitted_;
};

}  // namespace satchel::records
