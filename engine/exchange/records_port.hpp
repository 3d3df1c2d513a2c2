// What exchange asks of the records of a site: signed segments in feeds, merged as a set.
#pragma once

#include <array>
#include <functional>
#include <span>
#include <vector>

#include "engine/base/ids.hpp"
#include "engine/base/result.hpp"

namespace satchel::exchange {

using SegmentId = HashId<struct SegmentIdTag>;

// The end of an unbroken run of segments of one feed; a forked feed has several.
struct FeedHead {
    std::uint32_t incarnation_number = 0;
    std::array<std::uint8_t, 16> incarnation_tag{};
    std::uint64_t next_sequence = 0;
    SegmentId head;
    friend auto operator<=>(const FeedHead&, const FeedHead&) = default;
};

[[nodiscard]] inline bool same_branch(const FeedHead& a, const FeedHead& b) {
    return a.incarnation_number == b.incarnation_number && a.incarnation_tag == b.incarnation_tag;
}

inline constexpr std::size_t kSegmentMax = 256 * 1024;  // bytes of a whole segment

class RecordsPort {
  public:
    virtual ~RecordsPort() = default;
    // Signs what is open; before any exchange.
    virtual Result<void> close_segment() = 0;
    virtual Result<std::vector<FeedHead>> heads_of(const SiteId& site) = 0;  // ascending
    virtual Result<bool> has(
        const SegmentId& id) = 0;  // with all that is before it, as far as it is held here
    // Every feed of which something is here, by site id.
    virtual Result<void> for_each_feed(
        const std::function<Result<void>(const SiteId& site, std::span<const FeedHead> heads)>& each) = 0;
    // What a holder of `known` lacks of this site's feed, oldest first. `sink` returns false to stop.
    virtual Result<void> segments_after(
        const SiteId& site, std::span<const SegmentId> known,
        const std::function<Result<bool>(const SegmentId& id, ByteView segment)>& sink) = 0;

    struct Taken {
        bool is_new = false;
        SiteId site;
    };
    // Verified; kRefused, kDamaged or kUnsupported if it may not be. Sure only after commit(). What is
    // outside this site's scope is carried for others, if there is room.
    virtual Result<Taken> accept(ByteView segment) = 0;
    virtual Result<void> commit() = 0;

    // A hub's signed word that it holds these feeds up to their heads; of another site what it has of the
    // words of hubs on these feeds, to be handed on.
    virtual Result<std::vector<ByteBuffer>> acknowledge(std::span<const SiteId> sites) = 0;
    virtual Result<void> accept_acknowledgement(ByteView acknowledgement) = 0;

    // Between two sites that are no hubs: each carries the other's records towards the hubs.
    virtual Result<bool> has_room_for_others() = 0;
    // Every feed, its own too, of which the hubs do not have all, by site id.
    virtual Result<void> for_each_unsettled_feed(
        const std::function<Result<void>(const SiteId& site, std::span<const FeedHead> heads)>& each) = 0;
    // What enough hubs have acknowledged of this feed: of each branch one head, and all that is before it by
    // number. A fork inside a branch, as a box makes that was put back, counts as settled then for those who
    // carry; its author still has it, and brings it to a hub by link or stick.
    virtual Result<std::vector<FeedHead>> settled_heads(const SiteId& site) = 0;
    // As segments_after(), without what is settled, and no more than a site carries for another.
    virtual Result<void> unsettled_after(
        const SiteId& site, std::span<const SegmentId> known,
        const std::function<Result<bool>(const SegmentId& id, ByteView segment)>& sink) = 0;

    // For carriers that get no answer: every segment that some other hub whose place it is to hold it has not
    // acknowledged, once. `sink` returns false to stop.
    virtual Result<void> for_each_unacknowledged(
        const std::function<Result<bool>(ByteView segment)>& sink) = 0;
    // A hub's own acknowledgements of all feeds here, in statements that fit a parcel. Equal state, equal
    // bytes.
    virtual Result<void> for_each_own_acknowledgement(
        const std::function<Result<void>(ByteView statement)>& sink) = 0;
};

}  // namespace satchel::exchange
