// The one implementation of Session; its methods stand in files by subject. Private to engine/exchange.
//
// What each side knows of the other is its newest greeting. A plan is what that greeting shows to be lacking;
// it is carried out, then END tells its last message's number. The other side then greets again, and says up
// to which number it heard us: what is still lacking was lost or refused, and goes into the next plan.
//
//     greeted --plan, pushes--> told (END) --greeting heard all--> plan empty --both said so--> done
#pragma once

#include <deque>
#include <set>

#include "engine/exchange/content_sender.hpp"
#include "engine/exchange/freight_gate.hpp"
#include "engine/exchange/scope.hpp"
#include "engine/exchange/session.hpp"

namespace satchel::exchange {

// Before the peer proved that it is there now: what a copied greeting may cost.
inline constexpr std::uint64_t kUnconfirmedMax = 64 * 1024;
// Capability bits: records are exchanged; those of others are taken on their way to the hubs.
inline constexpr std::uint64_t kSpeaksRecords = 1;
inline constexpr std::uint64_t kHasRoomForOthers = 2;
inline constexpr std::size_t kGreetingWantedMax = 48;  // about 1.8 KB
inline constexpr std::int64_t kAnswerMs = 5'000;       // then the greeting is said again, each time later
inline constexpr std::int64_t kAnswerMsMax = 60'000;
inline constexpr std::int64_t kContentAnswerMs = 30'000;  // a piece may take 4 s, and more stand in buffers
inline constexpr std::int64_t kSettleMs = 10'000;         // what a power cut may cost
inline constexpr std::int64_t kLookMs = 60'000;           // between looks at which courses became complete
inline constexpr std::int64_t kGatherIdleMs = 60'000;     // then another conversation may gather the lane
inline constexpr std::size_t kPushBytes = 64 * 1024;      // small things together in one message
inline constexpr int kRepeatsMax = 5;   // the same plan against the same greeting: it is not taken, then
inline constexpr int kStrikesMax = 16;  // things that are not what they say
inline constexpr std::size_t kNotHereKept = 4096;   // a peer that lacks so much is not asked on
inline constexpr std::size_t kHadNoRoomMax = 4;     // of what came; then nothing is asked for any more
inline constexpr std::size_t kPushedIdsMax = 4096;  // segments of one feed between two greetings

class LiveSession final : public Session {
  public:
    LiveSession(const Replica& replica, Wants& wants, const SessionOptions& options, env::Instant now)
        : replica_(replica),
          wants_(wants),
          options_(options),
          key_(wants.add_session()),
          said_changes_(wants.changes()),
          sender_(replica.store),
          last_activity_(now),
          last_content_(now),
          last_settled_(now),
          last_look_(now) {}
    ~LiveSession() override {
        if (!cut_) wants_.release(key_);
    }

    // session.cpp
    Result<void> on_message(ByteView message, bool replayable, env::Instant now) override;
    Result<void> on_tick(env::Instant now) override;
    Result<bool> next_message(ByteBuffer& out, env::Instant now) override;
    [[nodiscard]] std::optional<env::Instant> next_deadline() const override;
    [[nodiscard]] bool is_done() const override;
    [[nodiscard]] const SessionReport& report() const override { return report_; }
    void on_cut() override;
    Result<void> check_peer();

  private:
    // session.cpp
    Result<std::optional<Body>> next_body(env::Instant now);
    Result<std::optional<Body>> next_want();
    std::optional<Body> next_end();
    [[nodiscard]] bool has_answers() const;  // all of the plan but lanes, which take long
    [[nodiscard]] bool plan_is_empty() const;
    [[nodiscard]] bool nothing_left() const;
    [[nodiscard]] bool is_settled() const;  // both sides said so
    [[nodiscard]] bool may_speak() const;
    Result<void> settle(bool look_at_all, env::Instant now);

    // session_greeting.cpp
    Result<Body> make_greeting();
    Result<void> tell_reviews(Hello& hello);
    Result<void> tell_receipts(Hello& hello);
    Result<void> tell_feeds(Hello& hello);
    void tell_gathering(Hello& hello) const;
    Result<const SiteTree*> tree();

    // session_plan.cpp
    Result<void> make_plan();
    Result<void> plan_freight();
    Result<void> plan_reviews();
    Result<void> plan_lanes();
    Result<std::optional<Body>> next_push();
    Body next_parcels();
    Result<std::optional<Body>> next_reviews();
    Result<std::optional<Body>> next_lane();

    // session_records.cpp
    Result<void> plan_feeds();
    Result<bool> both_carry();
    Result<void> answer_carrier(const Feed& there);
    Result<void> tell_words(std::span<const SiteId> sites);
    Result<void> plan_listed(const std::vector<Feed>& shared);
    Result<void> plan_feed(const Feed& here, const std::vector<FeedHead>& there, bool may_wait = true);
    Result<bool> is_ahead_of(const FeedHead& here, const std::vector<FeedHead>& there);
    void tell_all(const std::vector<Feed>& feeds, bool in_custody, const std::vector<NodeKey>& only);
    Result<void> tell_where_it_differs(const Feed& there);
    Result<void> answer_custody(const std::vector<Feed>& held);
    Result<std::optional<Body>> next_segments();
    Result<void> take(const FeedsMessage& message);
    Result<void> take(const FeedNodes& message);
    Result<void> take(const SegmentsMessage& message);
    Result<void> take(const AcknowledgementMessage& message);

    // session_take.cpp
    Result<void> take(Hello&& hello, std::uint64_t number, bool replayable, env::Instant now);
    Result<void> take(const End& end);
    Result<void> take(const FreightMessage& message);
    Result<void> take(const ReviewMarks& message);
    Result<void> take(LanePiece&& piece, env::Instant now);
    Result<void> take(const Data& data, env::Instant now);
    Result<void> go_without(const ChunkId& id, const Error& no_room);
    Result<void> look_for_source();
    void take(const Want& want);
    void take(const NotHere& message);
    Result<void> finish_lane();
    void drop_lane();
    Result<void> note(const Error& error);  // refusals are noted, failures of this site returned
    Result<void> changed_by_peer(bool catalogue);

    struct FeedPush {
        SiteId site;
        std::vector<SegmentId> known;  // heads there, and what was pushed since
        std::deque<ByteBuffer> next;
        bool all_read = false;
    };
    struct LanePush {
        std::string lane;
        std::optional<catalogue::GitId> from;
        catalogue::GitId to{};
        std::uint32_t next = 0;
    };

    Replica replica_;
    Wants& wants_;
    const SessionOptions options_;
    const SessionKey key_;
    bool is_known_ = false;  // the roster names the peer: it is given things
    bool cut_ = false;
    std::optional<SiteTree> tree_;

    // what was said
    std::uint64_t number_ = 0;  // of our last message
    std::uint64_t heard_ = 0;   // highest number of the peer's
    bool greeting_owed_ = true;
    std::uint64_t said_changes_;  // of wants_, as the newest greeting told them
    Hello own_;                   // the newest greeting, of number own_number_
    std::uint64_t own_number_ = 0;
    std::uint64_t own_heard_ = 0;  // heard_ as it told
    std::uint64_t last_push_ = 0;
    std::uint64_t told_push_ = 0;
    std::optional<End> own_end_;

    // what was heard
    bool confirmed_ = false;
    std::uint64_t unconfirmed_bytes_ = 0;
    std::optional<Hello> peer_;
    std::uint64_t peer_number_ = 0;
    std::optional<End> peer_end_;
    int strikes_ = 0;
    std::optional<Error> unnamed_;  // of records whose site no catalogue here names so far

    // the plan
    bool replan_ = false;
    Hello planned_own_, planned_peer_;  // that the last plan stood on
    int repeats_ = 0;
    std::deque<ByteBuffer> parcels_;
    std::uint64_t nodes_answered_ = 0;  // the greeting that they came with: a list of feeds is long
    std::deque<Body> told_;             // of feeds
    std::deque<FeedPush> feeds_;
    std::optional<Digest> custody_told_;
    bool marks_due_ = false;
    std::set<ReviewMark> reviews_due_;
    std::deque<LanePush> lanes_;
    std::set<SiteId> acknowledge_;

    ContentSender sender_;
    bool ask_again_ = false;
    bool may_ask_ = false;        // something may have become askable
    std::set<ChunkId> not_here_;  // at the peer
    std::size_t had_no_room_ = 0;

    env::Instant last_activity_, last_content_, last_settled_, last_look_;
    std::int64_t answer_ms_ = kAnswerMs;
    SessionReport report_;
};

[[nodiscard]] ReviewMark mark_of(const catalogue::SignedReview& review);

}  // namespace satchel::exchange
