// What a site wants of content, shared by all its conversations: what is asked of whom, so that nothing is
// asked twice at once, and the beginnings of records that a cut interrupted, so that they go on where they
// stopped. Also which conversation gathers a lane: a site gathers one at a time.
//
// Memory: what is wanted lies in the database's temporary storage. Beginnings are bounded by kPartsBytesMax,
// what is asked by kRequestsInFlightMax a conversation.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "engine/exchange/intake.hpp"
#include "engine/exchange/lane_spool.hpp"
#include "engine/exchange/messages.hpp"
#include "engine/exchange/replica.hpp"

namespace satchel::exchange {

// 64 chunks of about 64 KiB in flight fill 16 s of a 2 Mbit/s link: enough for a round trip of 600 ms, and
// for a link whose buffer is deep.
inline constexpr std::size_t kRequestsInFlightMax = 64;
inline constexpr std::uint64_t kBytesInFlightMax = 4 * 1024 * 1024;
inline constexpr std::uint64_t kChunkBytesGuess = 48 * 1024;       // of a record whose size is not known yet
inline constexpr std::uint64_t kPartsBytesMax = 12 * 1024 * 1024;  // fits the largest record, twice, and more
inline constexpr std::size_t kPartsMax = 256;
// Rows looked at to find something to ask: what other conversations ask for and what the peer lacks is
// skipped.
inline constexpr std::size_t kLookedAtMax = 4096;

inline constexpr std::size_t kPeersRemembered = 1024;

using SessionKey = std::uint32_t;

class Wants {
  public:
    static Result<std::unique_ptr<Wants>> create(const Replica& replica);

    [[nodiscard]] SessionKey add_session() { return next_session_++; }
    // Gives back what was asked of a conversation that ended; beginnings of records stay.
    void release(SessionKey session);

    // After catalogue, reviews, roots or subscriptions changed: here, by a conversation or another carrier.
    Result<void> refresh();
    // A peer is there now and said, with this number, which editions it has: room may be made for these.
    // Until release().
    Result<void> note_source(SessionKey session, const SiteId& peer, std::uint64_t have_sequence);
    // Something changed that conversations may want to tell: they compare this number, so their deadlines and
    // next_message() are worth a look. Also for changes that do not touch what is wanted, as a new segment.
    [[nodiscard]] std::uint64_t changes() const { return changes_; }
    void note_change() { changes_ += 1; }

    // What to ask of a peer next, marked as asked of it. `skip`: what it said not to have.
    Result<std::vector<Wanted>> ask(SessionKey session, std::size_t count_max, const std::set<ChunkId>& skip);
    [[nodiscard]] std::size_t asked(SessionKey session) const;
    [[nodiscard]] std::vector<Wanted> asked_of(SessionKey session) const;  // to ask it again
    Result<std::uint64_t> wanted() { return intake_.wanted(); }

    enum class Took { kPiece, kRecord, kNotAsked, kRefused };
    // kRefused: all of the record came and it is not what its id says. kNoSpace: the disk filled since the
    // plan was made, or the edition's document told too little; the record stays wanted.
    Result<Took> take(SessionKey session, const Data& piece);
    void not_here(SessionKey session, const ChunkId& id);

    // -- commits -----------------------------------------------------------------------------------
    // Makes sure what was taken. If nothing is wanted any more, or with `look_at_all`, notes which editions
    // became complete, and returns their courses.
    Result<std::vector<std::string>> settle(bool look_at_all);
    [[nodiscard]] bool has_taken() const { return taken_since_settled_ > 0; }

    // -- lanes -------------------------------------------------------------------------------------
    struct Gathered {
        SessionKey session = 0;
        Gathering what;  // `next`: the first that is not there
        std::vector<bool> there;
        std::int64_t last_ms = 0;  // when a batch came
    };
    std::optional<Gathered>& gathered() { return gathered_; }
    LaneSpool& spool() { return spool_; }

    // What is held here for a peer, as a conversation that came to its end told it: not to be told again.
    [[nodiscard]] bool was_custody_told(const SiteId& peer, const Digest& digest) const;
    void note_custody_told(const SiteId& peer, const Digest& digest);

  private:
    struct Request {
        SessionKey session = 0;
        std::uint64_t order = 0;
    };
    struct Part {
        std::uint32_t size = 0;
        ByteBuffer bytes;
        std::uint64_t touched = 0;
    };
    Wants(const Replica& replica, Intake intake)
        : replica_(replica), intake_(std::move(intake)), spool_(replica) {}
    void make_room(std::size_t bytes, const ChunkId& keep);
    void drop_part(std::map<ChunkId, Part>::iterator part);
    [[nodiscard]] Result<std::set<ChunkId>> editions_there() const;
    [[nodiscard]] Wanted wanted_of(const ChunkId& id) const;
    [[nodiscard]] std::uint64_t bytes_in_flight(SessionKey session) const;

    Replica replica_;
    Intake intake_;
    // Of current editions that are meant for this site and not complete: how far they may come in.
    std::map<ChunkId, Depth> manifests_;
    std::uint64_t losses_ = 0;          // of the store, when the table was made
    bool waits_for_structure_ = false;  // of one of them; when it is here, its room is known
    bool declines_some_ = false;        // for want of room
    std::set<ChunkId> declined_there_;  // of those, what somebody has who is there
    std::map<SessionKey, std::pair<SiteId, std::uint64_t>> there_;  // peers, and the numbers of their haves
    std::map<ChunkId, Request> asked_;                              // kRequestsInFlightMax a conversation
    std::map<ChunkId, Part> parts_;
    std::uint64_t parts_bytes_ = 0;
    std::uint64_t touches_ = 0;
    std::uint64_t changes_ = 0;
    std::uint64_t taken_since_settled_ = 0;
    SessionKey next_session_ = 1;
    std::optional<Gathered> gathered_;
    LaneSpool spool_;
    std::map<SiteId, Digest> custody_told_;  // at most kPeersRemembered
};

}  // namespace satchel::exchange
