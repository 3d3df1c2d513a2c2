// What no stream of bytes can do to a channel, however it is cut, altered or made up.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "tests/transport/channel/ends.hpp"

namespace satchel::channel {
namespace {

// A known dialler's whole side of a conversation: greeting, early message, messages, last word.
struct Spoken {
    Pair pair;
    std::vector<ByteBuffer> messages;
    ByteBuffer greeting;
    std::vector<ByteBuffer> frames;

    // Keys change every few frames, so that their frames are cut and altered too.
    explicit Spoken(const std::vector<std::size_t>& sizes) {
        pair.village.limits.frames_per_key = pair.hub.limits.frames_per_key = 5;
        messages.push_back(noise_bytes(40, 0));
        pair.dial_known(messages[0]);
        greeting = drained(*pair.dialler);
        // The hub that is spoken to is another object with the same chance, so that its answer is the same.
        End twin(2);
        twin.limits = pair.hub.limits;
        std::unique_ptr<Channel> answerer = Channel::answer(twin.setup(), kStart);
        SATCHEL_CHECK(answerer->feed(greeting, kStart).has_value());
        SATCHEL_CHECK(pair.dialler->feed(answerer->to_send(), kStart).has_value());
        for (const std::size_t size : sizes) {
            messages.push_back(noise_bytes(size, messages.size()));
            SATCHEL_CHECK(pair.dialler->send(messages.back(), kStart).has_value());
            cut_frames(drained(*pair.dialler));
        }
        SATCHEL_CHECK(pair.dialler->close(kStart).has_value());
        cut_frames(drained(*pair.dialler));
    }

    void cut_frames(ByteView bytes) {
        while (!bytes.empty()) {
            const std::size_t size = 2u + bytes[0] + 256u * bytes[1];
            frames.emplace_back(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
            bytes = bytes.subspan(size);
        }
    }

    [[nodiscard]] ByteBuffer stream() const {
        ByteBuffer all = greeting;
        for (const ByteBuffer& frame : frames) append(all, frame);
        return all;
    }

    // Gives a stream to the answerer and its end; true if all was in order.
    bool hear(ByteView stream) {
        Pair::give(*pair.answerer, stream, pair.answerer_saw, pair.at_answerer);
        return pair.answerer_saw.has_value() && pair.answerer->end_of_stream().has_value();
    }

    [[nodiscard]] bool heard_a_prefix() const {
        return pair.at_answerer.size() <= messages.size() &&
               std::equal(pair.at_answerer.begin(), pair.at_answerer.end(), messages.begin());
    }
};

std::vector<std::size_t> any_sizes() {
    const auto size = rc::gen::oneOf(rc::gen::inRange<std::size_t>(0, 50),
                                     rc::gen::inRange<std::size_t>(kPieceMax - 2, 2 * kPieceMax + 3));
    return *rc::gen::container<std::vector<std::size_t>>(*rc::gen::inRange<std::size_t>(1, 6), size);
}

RC_GTEST_PROP(ChannelProperty, AnySplitOfTheStreamGivesTheSameMessages, ()) {
    Spoken spoken(any_sizes());
    const ByteBuffer stream = spoken.stream();
    const std::size_t step_max = *rc::gen::element<std::size_t>(1, 3, 20, 5000, 40'000);
    simulations::Seeded steps(*rc::gen::arbitrary<std::uint64_t>());
    for (std::size_t at = 0; at < stream.size();) {
        const std::size_t step = std::min<std::size_t>(1 + steps.below(step_max), stream.size() - at);
        Pair::give(*spoken.pair.answerer, ByteView(stream).subspan(at, step), spoken.pair.answerer_saw,
                   spoken.pair.at_answerer);
        at += step;
    }
    RC_ASSERT(spoken.pair.answerer_saw.has_value());
    RC_ASSERT(spoken.pair.answerer->end_of_stream().has_value());
    RC_ASSERT(spoken.pair.at_answerer == spoken.messages);
}

RC_GTEST_PROP(ChannelProperty, AnyFlippedBitEndsIt, ()) {
    Spoken spoken(any_sizes());
    ByteBuffer stream = spoken.stream();
    // As often in the greeting and the lengths of small frames as in the bulk of large ones.
    const std::size_t reach = *rc::gen::element(stream.size(), std::min<std::size_t>(stream.size(), 300));
    const std::size_t bit = *rc::gen::inRange<std::size_t>(0, reach * 8);
    stream[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    RC_ASSERT(!spoken.hear(stream));
    RC_ASSERT(spoken.heard_a_prefix());
}

RC_GTEST_PROP(ChannelProperty, AnyDroppedFrameEndsIt, ()) {
    Spoken spoken(any_sizes());
    const auto hit = *rc::gen::inRange<std::size_t>(0, spoken.frames.size());
    spoken.frames.erase(spoken.frames.begin() + static_cast<std::ptrdiff_t>(hit));
    RC_ASSERT(!spoken.hear(spoken.stream()));
    RC_ASSERT(spoken.heard_a_prefix());
}

RC_GTEST_PROP(ChannelProperty, AnyRepeatedFrameEndsIt, ()) {
    Spoken spoken(any_sizes());
    const auto hit = *rc::gen::inRange<std::size_t>(0, spoken.frames.size());
    const auto place = *rc::gen::inRange<std::size_t>(hit + 1, spoken.frames.size() + 1);
    const ByteBuffer copy = spoken.frames[hit];
    spoken.frames.insert(spoken.frames.begin() + static_cast<std::ptrdiff_t>(place), copy);
    RC_ASSERT(!spoken.hear(spoken.stream()));
    RC_ASSERT(spoken.heard_a_prefix());
}

RC_GTEST_PROP(ChannelProperty, AnyTwoSwappedFramesEndIt, ()) {
    Spoken spoken(any_sizes());
    const auto first = *rc::gen::inRange<std::size_t>(0, spoken.frames.size() - 1);
    const auto second = *rc::gen::inRange<std::size_t>(first + 1, spoken.frames.size());
    std::swap(spoken.frames[first], spoken.frames[second]);
    RC_ASSERT(!spoken.hear(spoken.stream()));
    RC_ASSERT(spoken.heard_a_prefix());
}

RC_GTEST_PROP(ChannelProperty, AnyCutIsNoticedAndLeavesWholeMessages, ()) {
    Spoken spoken(any_sizes());
    const ByteBuffer stream = spoken.stream();
    const auto size = *rc::gen::inRange<std::size_t>(0, stream.size());
    RC_ASSERT(!spoken.hear(ByteView(stream).first(size)));
    RC_ASSERT(spoken.heard_a_prefix());
    RC_ASSERT(spoken.pair.answerer->failure()->code == ErrorCode::kUnreachable);
}

RC_GTEST_PROP(ChannelProperty, AMessageOfAnySizeArrivesAsItWasSent, ()) {
    Pair pair;
    pair.dial(*rc::gen::element(Contact::kKnown, Contact::kFirst)).talk();
    const ByteBuffer message = noise_bytes(*rc::gen::inRange<std::size_t>(0, kMessageMax + 1), 1);
    RC_ASSERT(pair.dialler->send(message, kStart).has_value());
    pair.talk();
    RC_ASSERT(pair.at_answerer == std::vector<ByteBuffer>{message});
}

// -- bounds ---------------------------------------------------------------------------------------

// One frame, one message and what is to be sent.
constexpr std::size_t kHeldMax = 2 * kNoiseMessageMax + kMessageMax + 2 * kOutputMax;
// Before it is known who speaks: the largest first message, the answer, and what vectors round up.
constexpr std::size_t kHeldOfStrangersMax = 4 * kEarlyMessageMax;

RC_GTEST_PROP(ChannelBounds, RandomBytesCostAStrangerMoreThanTheAnswerer, ()) {
    End hub(2);
    const std::unique_ptr<Channel> answerer = Channel::answer(hub.setup(), kStart);
    simulations::Seeded series(*rc::gen::arbitrary<std::uint64_t>());
    // With a good preamble and length the bytes get as far as bytes of strangers can.
    if (*rc::gen::arbitrary<bool>()) {
        const auto contact = *rc::gen::element<std::uint8_t>(1, 2);
        RC_ASSERT(answerer->feed(ByteBuffer{'S', 'L', 'N', 'K', 1, contact, 0, 0}, kStart).has_value());
    }
    for (int i = 0; i < 20; ++i) {
        ByteBuffer bytes(series.below(5000));
        series.fill(bytes);
        static_cast<void>(answerer->feed(bytes, kStart).has_value());
        RC_ASSERT(answerer->held_bytes() <= kHeldOfStrangersMax);
        RC_ASSERT(!answerer->take().has_value());
        RC_ASSERT(!answerer->peer().has_value());
    }
}

RC_GTEST_PROP(ChannelBounds, RandomBytesEndAnOpenChannelAndAreHandedToNobody, ()) {
    Pair pair;
    pair.dial(*rc::gen::element(Contact::kKnown, Contact::kFirst)).talk();
    simulations::Seeded series(*rc::gen::arbitrary<std::uint64_t>());
    bool ended = false;
    for (int i = 0; i < 20 && !ended; ++i) {
        ByteBuffer bytes(1 + series.below(40'000));
        series.fill(bytes);
        ended = !pair.dialler->feed(bytes, kStart).has_value();
        RC_ASSERT(pair.dialler->held_bytes() <= kHeldMax);
        RC_ASSERT(!pair.dialler->take().has_value());
    }
    RC_ASSERT(ended);  // at the latest behind the longest frame there can be
}

TEST(ChannelBounds, APeerThatNeverEndsItsMessageIsCutOffAtTheLimit) {
    End hub(2);
    HostileDialler peer(hub);
    const std::unique_ptr<Channel> answerer = peer.connect(hub);
    const ByteBuffer piece(60'000, 1);
    std::size_t sent = 0;
    Result<std::size_t> fed{};
    while (sent < 2 * kMessageMax && fed.has_value()) {
        fed = answerer->feed(peer.frame(1, piece), kStart);
        sent += piece.size();
        ASSERT_LE(answerer->held_bytes(), kHeldMax);
    }
    ASSERT_FALSE(fed.has_value());
    EXPECT_EQ(fed.error().code, ErrorCode::kTooLarge);
    EXPECT_LE(sent, kMessageMax + piece.size());
    EXPECT_LE(answerer->held_bytes(), std::size_t{kNoiseMessageMax});
}

struct BadFrame {
    std::string what;
    std::vector<std::pair<std::uint8_t, ByteBuffer>> frames;  // kind and data; only the last one is refused
    ErrorCode code;
};

TEST(ChannelBounds, AKnownPeerThatBreaksTheRulesIsRefused) {
    const std::vector<BadFrame> all = {
        {"a kind of a newer program", {{5, {}}}, ErrorCode::kUnsupported},
        {"an empty piece that promises more", {{1, {7}}, {1, {}}}, ErrorCode::kDamaged},
        {"a key change with data", {{2, {1}}}, ErrorCode::kDamaged},
        {"a last word with data", {{3, {1}}}, ErrorCode::kDamaged},
        {"a last word inside a message", {{1, {7}}, {3, {}}}, ErrorCode::kDamaged},
        {"a refusal by the dialling end", {{4, {1}}}, ErrorCode::kDamaged},
    };
    for (const BadFrame& bad : all) {
        End hub(2);
        HostileDialler peer(hub);
        const std::unique_ptr<Channel> answerer = peer.connect(hub);
        for (std::size_t i = 0; i < bad.frames.size(); ++i) {
            const Result<std::size_t> fed =
                answerer->feed(peer.frame(bad.frames[i].first, bad.frames[i].second), kStart);
            ASSERT_EQ(fed.has_value(), i + 1 < bad.frames.size()) << bad.what;
            if (i + 1 == bad.frames.size()) {
                EXPECT_EQ(fed.error().code, bad.code) << bad.what;
            }
        }
    }
}

TEST(ChannelBounds, AFrameTooShortForAKindIsRefusedByItsLength) {
    Pair pair;
    pair.dial_known().talk();
    const Result<std::size_t> fed = pair.answerer->feed(ByteBuffer{16, 0}, kStart);
    ASSERT_FALSE(fed.has_value());
    EXPECT_EQ(fed.error().detail, "frame length 16");
}

TEST(ChannelBounds, AStrangersFirstMessageIsRefusedByItsLength) {
    End hub(2);
    const std::unique_ptr<Channel> answerer = Channel::answer(hub.setup(), kStart);
    const std::size_t over = 96 + kEarlyMessageMax + 1;
    const ByteBuffer bytes = {'S',
                              'L',
                              'N',
                              'K',
                              1,
                              1,
                              0,
                              0,
                              static_cast<std::uint8_t>(over & 255),
                              static_cast<std::uint8_t>(over >> 8)};
    EXPECT_FALSE(answerer->feed(bytes, kStart).has_value());
}

}  // namespace
}  // namespace satchel::channel
