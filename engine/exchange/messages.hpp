// The messages of a conversation, as values, and their bytes (schemas/exchange.md). Decoding refuses what
// passes a limit before anything of it is kept; a kind that is not known is passed over.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/catalogue/catalogue.hpp"
#include "engine/exchange/records_port.hpp"

namespace satchel::exchange {

inline constexpr std::uint8_t kExchangeVersion = 1;
inline constexpr std::size_t kGreetingMax = 4096;  // rides in the first message of a handshake
// A batch of the catalogue or a record with its frame.
inline constexpr std::size_t kSessionMessageMax = 2 * 1024 * 1024 + 4096;
inline constexpr std::size_t kGreetingFeedsMax = 8;    // listed in full; more are told by their digest
inline constexpr std::size_t kGreetingLanesMax = 64;   // as in a have
inline constexpr std::size_t kWantedMax = 128;         // in one message
inline constexpr std::size_t kParcelsMax = 1024;       // in one message: reviews of 64 bytes and more
inline constexpr std::size_t kSegmentsMax = 1024;      // in one message
inline constexpr std::size_t kFeedsMax = 16'384;       // in one message of 2 MiB: each takes about 100 bytes
inline constexpr std::size_t kFeedNodesMax = 8'192;    // in one message: of 26,368 sites there are about 900
inline constexpr std::size_t kFeedHeadsMax = 64;       // of one feed: so often can a box be cloned
inline constexpr std::size_t kMustUnderstandMax = 32;  // ids of features
inline constexpr std::size_t kReviewMarksMax = 131'072;  // 1 MiB of marks: reviews of 40,000 courses, thrice
inline constexpr std::uint32_t kGatheredElsewhere = 0xFFFF'FFFF;  // `next` of what another link brings
inline constexpr std::uint32_t kLaneBatchesMax = 4096;            // of one push: what a quarantine may hold
inline constexpr std::size_t kPieceMax = 64 * 1024;               // content bytes of one message, at most,
inline constexpr std::size_t kPieceBytes = 32 * 1024;             // and as sent: 4 s of a 64 kbit/s link
inline constexpr std::size_t kNotHereMax = 1024;                  // ids in one message
inline constexpr std::size_t kAcknowledgementMax = 512 * 1024;

struct Feed {
    SiteId site;
    std::vector<FeedHead> heads;
    friend bool operator==(const Feed&, const Feed&) = default;
};

struct Wanted {
    ChunkId id;
    std::uint32_t offset = 0;  // what lies before it is here
    std::uint32_t size = 0;    // of the whole record, if offset is not 0
    friend bool operator==(const Wanted&, const Wanted&) = default;
};

struct Gathering {
    std::string lane;
    std::optional<catalogue::GitId> from;
    catalogue::GitId to{};
    std::uint32_t next = 0;
    friend bool operator==(const Gathering&, const Gathering&) = default;
};

using ReviewMark = std::array<std::uint8_t, 8>;
using ShortDigest = std::array<std::uint8_t, 16>;

// All that is true of its sender, as far as the other side may care. Says the same however often it comes.
struct Hello {
    std::uint64_t capabilities = 0;
    std::vector<std::uint32_t> must_understand;
    std::uint64_t heard = 0;
    std::uint32_t root_version = 0;
    std::vector<catalogue::LaneHead> lanes;
    std::optional<ShortDigest> reviews;
    std::uint64_t have_sequence = 0;
    std::uint64_t have_known = 0;
    std::uint64_t receipts_known = 0;
    std::optional<ShortDigest> receipts_digest;
    std::vector<Feed> feeds;  // shared
    std::uint32_t feeds_count = 0;
    std::optional<Digest> feeds_digest;
    std::vector<Feed> more_feeds;
    std::optional<Gathering> gathering;
    std::vector<Wanted> wanted;
    friend bool operator==(const Hello&, const Hello&) = default;
};
struct End {
    std::uint64_t own = 0;
    std::uint64_t about = 0;
    std::uint64_t pushed = 0;
    friend bool operator==(const End&, const End&) = default;
};
struct FreightMessage {
    std::vector<ByteBuffer> parcels;  // freight.hpp
    friend bool operator==(const FreightMessage&, const FreightMessage&) = default;
};
// A node of the site tree: a hub and the sites right below it. A large one is cut in slices by site id.
struct NodeKey {
    SiteId node;
    std::uint32_t slice = 0;
    friend auto operator<=>(const NodeKey&, const NodeKey&) = default;
};
struct FeedsMessage {
    SiteId from, to;
    std::vector<Feed> feeds;    // ascending by site
    bool in_custody = false;    // held for the other side; the range says nothing then
    std::vector<NodeKey> only;  // if any: the feeds of these nodes; ascending
    friend bool operator==(const FeedsMessage&, const FeedsMessage&) = default;
};
struct FeedNodes {
    std::map<NodeKey, ShortDigest> digests;  // over the heads of each node's feeds
    friend bool operator==(const FeedNodes&, const FeedNodes&) = default;
};
struct SegmentsMessage {
    std::vector<ByteBuffer> segments;
    friend bool operator==(const SegmentsMessage&, const SegmentsMessage&) = default;
};
struct AcknowledgementMessage {
    ByteBuffer bytes;
    friend bool operator==(const AcknowledgementMessage&, const AcknowledgementMessage&) = default;
};
struct ReviewMarks {
    std::vector<ReviewMark> marks;  // ascending
    friend bool operator==(const ReviewMarks&, const ReviewMarks&) = default;
};
struct LanePiece {
    std::string lane;
    std::optional<catalogue::GitId> from;
    catalogue::GitId to{};
    std::uint32_t index = 0;
    std::uint32_t count = 0;
    ByteBuffer batch;
    friend bool operator==(const LanePiece&, const LanePiece&) = default;
};
struct Want {
    std::vector<Wanted> wanted;
    friend bool operator==(const Want&, const Want&) = default;
};
struct Data {
    ChunkId id;
    std::uint32_t size = 0;
    std::uint32_t offset = 0;
    ByteBuffer bytes;
    friend bool operator==(const Data&, const Data&) = default;
};
struct NotHere {
    std::vector<ChunkId> ids;
    friend bool operator==(const NotHere&, const NotHere&) = default;
};
struct UnknownMessage {
    friend bool operator==(const UnknownMessage&, const UnknownMessage&) = default;
};

using Body = std::variant<UnknownMessage, Hello, End, FreightMessage, FeedsMessage, SegmentsMessage,
                          AcknowledgementMessage, ReviewMarks, LanePiece, Want, Data, NotHere, FeedNodes>;
struct Message {
    std::uint64_t number = 0;
    Body body;
    friend bool operator==(const Message&, const Message&) = default;
};

// `sender`: whose feed a feed without a name is.
void encode_message(ByteBuffer& out, const Message& message, const SiteId& sender);
// kDamaged, or kUnsupported of a newer version.
Result<Message> decode_message(ByteView bytes, const SiteId& sender);

}  // namespace satchel::exchange
