#include "engine/exchange/messages.hpp"

#include <algorithm>

#include "engine/base/check.hpp"
#include "engine/base/encoding.hpp"
#include "engine/store/record.hpp"
#include "schemas/exchange.pb.h"

namespace satchel::exchange {

namespace {

constexpr std::size_t kLaneNameMax = 64;
constexpr std::size_t kRecordMax = store::kRecordHeaderSize + store::kObjectMax;

Error damaged(const char* detail) {
    return fail(ErrorCode::kDamaged, "message", "the message is not whole or not in its format",
                "try again; if it happens again, update satchel on both boxes", detail);
}

std::string text(ByteView bytes) { return std::string(text_of(bytes)); }
ByteBuffer buffer(const std::string& bytes) {
    const ByteView view = bytes_of(bytes);
    return {view.begin(), view.end()};
}

template <std::size_t N>
bool copy_exactly(const std::string& from, std::array<std::uint8_t, N>& to) {
    const ByteView view = bytes_of(from);
    if (view.size() != N) return false;
    std::copy(view.begin(), view.end(), to.begin());
    return true;
}

template <std::size_t N>
bool copy_if_there(const std::string& from, std::optional<std::array<std::uint8_t, N>>& to) {
    if (from.empty()) return true;
    return copy_exactly(from, to.emplace());
}

// -- before parsing ---------------------------------------------------------------------------------

// 16,384 feeds with a head each. A field of two bytes costs the parser about a hundred: more than this is an
// attempt to fill memory.
constexpr std::size_t kFieldsMax = 131'072;

enum class Layer { kBytes, kMessage, kHello, kFeeds, kFeed, kFlatList, kFlat };

Layer layer_inside(Layer outer, std::uint64_t field) {
    switch (outer) {
        case Layer::kMessage:
            if (field < 2 || field > 13) return Layer::kBytes;  // not known: the parser takes it as one
            if (field == 2) return Layer::kHello;
            if (field == 5) return Layer::kFeeds;
            return field == 10 || field == 13 ? Layer::kFlatList : Layer::kFlat;
        case Layer::kHello:
            if (field == 11 || field == 14) return Layer::kFeed;
            return field == 5 || field == 15 || field == 16 ? Layer::kFlat : Layer::kBytes;
        case Layer::kFeeds:
            if (field == 5) return Layer::kFlat;
            return field == 3 ? Layer::kFeed : Layer::kBytes;
        case Layer::kFeed:
            return field == 2 ? Layer::kFlat : Layer::kBytes;
        case Layer::kFlatList:
            return field == 1 ? Layer::kFlat : Layer::kBytes;
        case Layer::kFlat:
        case Layer::kBytes:
            return Layer::kBytes;
    }
    return Layer::kBytes;
}

// Whether a message is whole fields, and few enough, before the parser makes objects of them.
bool counts_within(ByteView bytes, Layer layer, std::size_t& fields) {
    Reader reader(bytes);
    while (reader.left() > 0) {
        const std::uint64_t key = reader.varint();
        if (!reader.ok() || ++fields > kFieldsMax) return false;
        switch (key & 7) {
            case 0:
                reader.varint();
                break;
            case 1:
                reader.raw(8);
                break;
            case 2: {
                const ByteView inner = reader.sized(reader.left());
                const Layer below = layer_inside(layer, key >> 3);
                if (below != Layer::kBytes && !counts_within(inner, below, fields)) return false;
                break;
            }
            case 5:
                reader.raw(4);
                break;
            default:  // groups, which none of ours ever had
                return false;
        }
        if (!reader.ok()) return false;
    }
    return true;
}

// -- to wire ----------------------------------------------------------------------------------------

void put(wire::Feed& out, const Feed& feed, const SiteId& sender) {
    if (feed.site != sender) out.set_site(text(feed.site.view()));
    for (const FeedHead& head : feed.heads) {
        wire::FeedHead& one = *out.add_heads();
        one.set_incarnation(head.incarnation_number);
        one.set_tag(text(head.incarnation_tag));
        one.set_next_sequence(head.next_sequence);
        one.set_head(text(head.head.view()));
    }
}

void put(wire::Wanted& out, const Wanted& wanted) {
    out.set_id(text(wanted.id.view()));
    out.set_offset(wanted.offset);
    out.set_size(wanted.size);
}

void put(wire::Hello& out, const Hello& hello, const SiteId& sender) {
    out.set_capabilities(hello.capabilities);
    for (const std::uint32_t id : hello.must_understand) out.add_must_understand(id);
    out.set_heard(hello.heard);
    out.set_root_version(hello.root_version);
    for (const catalogue::LaneHead& lane : hello.lanes) {
        wire::LaneHead& one = *out.add_lanes();
        one.set_name(lane.lane);
        one.set_head(text(lane.head));
        one.set_height(lane.height);
    }
    if (hello.reviews) out.set_reviews(text(*hello.reviews));
    out.set_have_sequence(hello.have_sequence);
    out.set_have_known(hello.have_known);
    out.set_receipts_known(hello.receipts_known);
    if (hello.receipts_digest) out.set_receipts_digest(text(*hello.receipts_digest));
    for (const Feed& feed : hello.feeds) put(*out.add_feeds(), feed, sender);
    out.set_feeds_count(hello.feeds_count);
    if (hello.feeds_digest) out.set_feeds_digest(text(*hello.feeds_digest));
    for (const Feed& feed : hello.more_feeds) put(*out.add_more_feeds(), feed, sender);
    if (hello.gathering) {
        wire::Gathering& gathering = *out.mutable_gathering();
        gathering.set_lane(hello.gathering->lane);
        if (hello.gathering->from) gathering.set_from(text(*hello.gathering->from));
        gathering.set_to(text(hello.gathering->to));
        gathering.set_next(hello.gathering->next);
    }
    for (const Wanted& wanted : hello.wanted) put(*out.add_wanted(), wanted);
}

void put(wire::FeedNode& out, const NodeKey& node) {
    out.set_node(text(node.node.view()));
    out.set_slice(node.slice);
}

struct Encoder {
    wire::Message& out;
    const SiteId& sender;

    void operator()(const UnknownMessage&) const {}
    void operator()(const Hello& hello) const { put(*out.mutable_hello(), hello, sender); }
    void operator()(const End& end) const {
        out.mutable_end()->set_own(end.own);
        out.mutable_end()->set_about(end.about);
        out.mutable_end()->set_pushed(end.pushed);
    }
    void operator()(const FreightMessage& freight) const {
        wire::Freight& message = *out.mutable_freight();
        for (const ByteBuffer& parcel : freight.parcels) message.add_parcels(text(parcel));
    }
    void operator()(const FeedsMessage& message) const {
        wire::Feeds& feeds = *out.mutable_feeds();
        feeds.set_from(text(message.from.view()));
        feeds.set_to(text(message.to.view()));
        for (const Feed& feed : message.feeds) put(*feeds.add_feeds(), feed, sender);
        feeds.set_in_custody(message.in_custody);
        for (const NodeKey& node : message.only) put(*feeds.add_only(), node);
    }
    void operator()(const FeedNodes& message) const {
        wire::FeedNodes& nodes = *out.mutable_feed_nodes();
        for (const auto& [node, digest] : message.digests) {
            wire::FeedNode& told = *nodes.add_nodes();
            put(told, node);
            told.set_digest(text(digest));
        }
    }
    void operator()(const SegmentsMessage& message) const {
        wire::Segments& segments = *out.mutable_segments();
        for (const ByteBuffer& segment : message.segments) segments.add_segments(text(segment));
    }
    void operator()(const AcknowledgementMessage& message) const {
        out.mutable_acknowledgement()->set_signed_(text(message.bytes));
    }
    void operator()(const ReviewMarks& message) const {
        std::string& marks = *out.mutable_review_marks()->mutable_marks();
        for (const ReviewMark& mark : message.marks) marks += text(mark);
    }
    void operator()(const LanePiece& piece) const {
        wire::LaneBatch& batch = *out.mutable_lane_batch();
        batch.set_lane(piece.lane);
        if (piece.from) batch.set_from(text(*piece.from));
        batch.set_to(text(piece.to));
        batch.set_index(piece.index);
        batch.set_count(piece.count);
        batch.set_batch(text(piece.batch));
    }
    void operator()(const Want& want) const {
        wire::Want& message = *out.mutable_want();
        for (const Wanted& wanted : want.wanted) put(*message.add_wanted(), wanted);
    }
    void operator()(const Data& data) const {
        wire::Data& piece = *out.mutable_data();
        piece.set_id(text(data.id.view()));
        piece.set_size(data.size);
        piece.set_offset(data.offset);
        piece.set_bytes(text(data.bytes));
    }
    void operator()(const NotHere& message) const {
        std::string& ids = *out.mutable_not_here()->mutable_ids();
        for (const ChunkId& id : message.ids) ids += text(id.view());
    }
};

// -- from wire --------------------------------------------------------------------------------------

template <typename Feeds>
Result<std::vector<Feed>> get_feeds(const Feeds& in, std::size_t feeds_max, const SiteId& sender) {
    if (static_cast<std::size_t>(in.size()) > feeds_max) return damaged("too many feeds");
    std::vector<Feed> feeds;
    for (const wire::Feed& one : in) {
        Feed feed;
        feed.site = sender;
        if (!one.site().empty() && !copy_exactly(one.site(), feed.site.digest)) return damaged("site");
        if (static_cast<std::size_t>(one.heads_size()) > kFeedHeadsMax) return damaged("too many heads");
        for (const wire::FeedHead& head : one.heads()) {
            FeedHead& made = feed.heads.emplace_back();
            made.incarnation_number = head.incarnation();
            made.next_sequence = head.next_sequence();
            if (!copy_exactly(head.tag(), made.incarnation_tag) ||
                !copy_exactly(head.head(), made.head.digest))
                return damaged("head of a feed");
        }
        feeds.push_back(std::move(feed));
    }
    return feeds;
}

template <typename List>
Result<std::vector<Wanted>> get_wanted(const List& in) {
    if (static_cast<std::size_t>(in.size()) > kWantedMax) return damaged("too much is wanted");
    std::vector<Wanted> all;
    for (const wire::Wanted& one : in) {
        Wanted& wanted = all.emplace_back();
        wanted.offset = one.offset();
        wanted.size = one.size();
        if (!copy_exactly(one.id(), wanted.id.digest) || wanted.size > kRecordMax ||
            wanted.offset > wanted.size)
            return damaged("what is wanted");
    }
    return all;
}

bool get_lane(const std::string& name, const std::string& from, const std::string& to,
              std::optional<catalogue::GitId>& from_out, catalogue::GitId& to_out) {
    return !name.empty() && name.size() <= kLaneNameMax && copy_if_there(from, from_out) &&
           copy_exactly(to, to_out);
}

Result<Body> get(const wire::Hello& in, const SiteId& sender) {
    Hello hello;
    hello.capabilities = in.capabilities();
    if (static_cast<std::size_t>(in.must_understand_size()) > kMustUnderstandMax)
        return damaged("too many features");
    hello.must_understand.assign(in.must_understand().begin(), in.must_understand().end());
    hello.heard = in.heard();
    hello.root_version = in.root_version();
    if (static_cast<std::size_t>(in.lanes_size()) > kGreetingLanesMax) return damaged("too many lanes");
    for (const wire::LaneHead& one : in.lanes()) {
        catalogue::LaneHead& lane = hello.lanes.emplace_back();
        lane.lane = one.name();
        lane.height = one.height();
        if (one.name().empty() || one.name().size() > kLaneNameMax || !copy_exactly(one.head(), lane.head))
            return damaged("head of a lane");
    }
    if (!copy_if_there(in.reviews(), hello.reviews) ||
        !copy_if_there(in.receipts_digest(), hello.receipts_digest) ||
        !copy_if_there(in.feeds_digest(), hello.feeds_digest))
        return damaged("digest");
    hello.have_sequence = in.have_sequence();
    hello.have_known = in.have_known();
    hello.receipts_known = in.receipts_known();
    hello.feeds_count = in.feeds_count();
    SATCHEL_TRY(hello.feeds, get_feeds(in.feeds(), kGreetingFeedsMax, sender));
    SATCHEL_TRY(hello.more_feeds, get_feeds(in.more_feeds(), kGreetingFeedsMax, sender));
    SATCHEL_TRY(hello.wanted, get_wanted(in.wanted()));
    if (in.has_gathering()) {
        Gathering& gathering = hello.gathering.emplace();
        gathering.lane = in.gathering().lane();
        gathering.next = in.gathering().next();
        if (!get_lane(in.gathering().lane(), in.gathering().from(), in.gathering().to(), gathering.from,
                      gathering.to))
            return damaged("what is gathered");
    }
    return Body(std::move(hello));
}

Result<Body> get(const wire::Freight& in) {
    if (static_cast<std::size_t>(in.parcels_size()) > kParcelsMax) return damaged("too many parcels");
    FreightMessage message;
    for (const std::string& parcel : in.parcels()) message.parcels.push_back(buffer(parcel));
    return Body(std::move(message));
}

bool get(const wire::FeedNode& in, NodeKey& node) {
    node.slice = in.slice();
    return copy_exactly(in.node(), node.node.digest);
}

Result<Body> get(const wire::FeedNodes& in) {
    if (static_cast<std::size_t>(in.nodes_size()) > kFeedNodesMax) return damaged("too many nodes");
    FeedNodes message;
    for (const wire::FeedNode& told : in.nodes()) {
        NodeKey node;
        std::optional<ShortDigest> digest;
        if (!get(told, node) || !copy_if_there(told.digest(), digest) || !digest)
            return damaged("node of feeds");
        if (!message.digests.emplace(node, *digest).second) return damaged("a node comes twice");
    }
    return Body(std::move(message));
}

Result<Body> get(const wire::Feeds& in, const SiteId& sender) {
    FeedsMessage message;
    if (!copy_exactly(in.from(), message.from.digest) || !copy_exactly(in.to(), message.to.digest))
        return damaged("range of feeds");
    message.in_custody = in.in_custody();
    SATCHEL_TRY(message.feeds, get_feeds(in.feeds(), kFeedsMax, sender));
    const auto out_of_order = [](const Feed& a, const Feed& b) { return a.site >= b.site; };
    if (std::adjacent_find(message.feeds.begin(), message.feeds.end(), out_of_order) != message.feeds.end())
        return damaged("order of feeds");
    if (static_cast<std::size_t>(in.only_size()) > kFeedNodesMax) return damaged("too many nodes");
    for (const wire::FeedNode& named : in.only()) {
        NodeKey node;
        if (!get(named, node)) return damaged("node of feeds");
        if (!message.only.empty() && message.only.back() >= node) return damaged("order of nodes");
        message.only.push_back(node);
    }
    return Body(std::move(message));
}

Result<Body> get(const wire::Segments& in) {
    if (static_cast<std::size_t>(in.segments_size()) > kSegmentsMax) return damaged("too many segments");
    SegmentsMessage message;
    for (const std::string& segment : in.segments()) {
        if (segment.size() > kSegmentMax) return damaged("a segment is too large");
        message.segments.push_back(buffer(segment));
    }
    return Body(std::move(message));
}

Result<Body> get(const wire::ReviewMarks& in) {
    ReviewMarks message;
    const ByteView marks = bytes_of(in.marks());
    if (marks.size() % sizeof(ReviewMark) != 0 || marks.size() / sizeof(ReviewMark) > kReviewMarksMax)
        return damaged("marks of reviews");
    for (std::size_t at = 0; at < marks.size(); at += sizeof(ReviewMark)) {
        ReviewMark mark;
        std::copy_n(marks.begin() + static_cast<std::ptrdiff_t>(at), mark.size(), mark.begin());
        if (!message.marks.empty() && message.marks.back() >= mark) return damaged("order of marks");
        message.marks.push_back(mark);
    }
    return Body(std::move(message));
}

Result<Body> get(const wire::LaneBatch& in) {
    LanePiece piece;
    piece.lane = in.lane();
    piece.index = in.index();
    piece.count = in.count();
    if (!get_lane(in.lane(), in.from(), in.to(), piece.from, piece.to) || piece.count > kLaneBatchesMax ||
        piece.index >= piece.count)
        return damaged("piece of a lane");
    piece.batch = buffer(in.batch());
    return Body(std::move(piece));
}

Result<Body> get(const wire::Data& in) {
    Data data;
    data.size = in.size();
    data.offset = in.offset();
    const std::size_t bytes = in.bytes().size();
    if (!copy_exactly(in.id(), data.id.digest) || bytes == 0 || bytes > kPieceMax || data.size > kRecordMax ||
        data.offset > data.size || bytes > data.size - data.offset)
        return damaged("piece of content");
    data.bytes = buffer(in.bytes());
    return Body(std::move(data));
}

Result<Body> get(const wire::NotHere& in) {
    NotHere message;
    const ByteView ids = bytes_of(in.ids());
    if (ids.size() % sizeof(Digest) != 0 || ids.size() / sizeof(Digest) > kNotHereMax)
        return damaged("ids that are not there");
    for (std::size_t at = 0; at < ids.size(); at += sizeof(Digest))
        std::copy_n(ids.begin() + static_cast<std::ptrdiff_t>(at), sizeof(Digest),
                    message.ids.emplace_back().digest.begin());
    return Body(std::move(message));
}

Result<Body> body_of(const wire::Message& in, const SiteId& sender) {
    switch (in.body_case()) {
        case wire::Message::kHello:
            return get(in.hello(), sender);
        case wire::Message::kEnd:
            return Body(End{in.end().own(), in.end().about(), in.end().pushed()});
        case wire::Message::kFreight:
            return get(in.freight());
        case wire::Message::kFeeds:
            return get(in.feeds(), sender);
        case wire::Message::kSegments:
            return get(in.segments());
        case wire::Message::kAcknowledgement:
            if (in.acknowledgement().signed_().size() > kAcknowledgementMax)
                return damaged("acknowledgement");
            return Body(AcknowledgementMessage{buffer(in.acknowledgement().signed_())});
        case wire::Message::kReviewMarks:
            return get(in.review_marks());
        case wire::Message::kLaneBatch:
            return get(in.lane_batch());
        case wire::Message::kWant: {
            SATCHEL_TRY(std::vector<Wanted> wanted, get_wanted(in.want().wanted()));
            return Body(Want{std::move(wanted)});
        }
        case wire::Message::kData:
            return get(in.data());
        case wire::Message::kNotHere:
            return get(in.not_here());
        case wire::Message::kFeedNodes:
            return get(in.feed_nodes());
        case wire::Message::BODY_NOT_SET:
            return Body(UnknownMessage{});
    }
    return Body(UnknownMessage{});
}

}  // namespace

void encode_message(ByteBuffer& out, const Message& message, const SiteId& sender) {
    wire::Message wire;
    wire.set_number(message.number);
    std::visit(Encoder{wire, sender}, message.body);
    out.resize(1 + wire.ByteSizeLong());
    SATCHEL_CHECK(out.size() <= kSessionMessageMax);
    out[0] = kExchangeVersion;
    SATCHEL_CHECK(wire.SerializeToArray(out.data() + 1, static_cast<int>(out.size() - 1)));
}

Result<Message> decode_message(ByteView bytes, const SiteId& sender) {
    if (bytes.empty() || bytes.size() > kSessionMessageMax) return damaged("length");
    if (bytes[0] != kExchangeVersion)
        return fail(ErrorCode::kUnsupported, "message", "it was written by a newer program",
                    "update satchel on this box");
    std::size_t fields = 0;
    if (!counts_within(bytes.subspan(1), Layer::kMessage, fields)) return damaged("fields");
    wire::Message wire;
    if (!wire.ParseFromArray(bytes.data() + 1, static_cast<int>(bytes.size() - 1)))
        return damaged("structure");
    SATCHEL_TRY(Body body, body_of(wire, sender));
    return Message{wire.number(), std::move(body)};
}

}  // namespace satchel::exchange
