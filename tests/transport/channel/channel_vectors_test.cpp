// Golden vectors of schemas/channel.md: both sides of a conversation between known sites, and of a first
// contact.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "engine/base/encoding.hpp"
#include "tests/transport/channel/ends.hpp"

namespace satchel::channel {
namespace {

ByteBuffer buffer_of(std::string_view text) { return {text.begin(), text.end()}; }

ByteBuffer vector_file(const std::string& name) {
    std::ifstream in(std::string(SATCHEL_SOURCE_DIR) + "/schemas/vectors/channel/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

class OneByte : public env::Random {
  public:
    explicit OneByte(std::uint8_t byte) : byte_(byte) {}
    void fill(MutableBytes bytes) override { std::fill(bytes.begin(), bytes.end(), byte_); }

  private:
    std::uint8_t byte_;
};

// As the page says: static keys of 01 and 02, ephemeral keys of 03 and 04, network of 11, secret of 55.
struct Golden {
    trust::SealingKey dialler_key = sealing_key_of(1);
    trust::SealingKey answerer_key = sealing_key_of(2);
    OneByte dialler_random{3};
    OneByte answerer_random{4};
    Secret<32> secret = secret_of(0x55);

    Setup setup(const trust::SealingKey& key, env::Random& random) {
        NetworkId network;
        network.digest.fill(0x11);
        return Setup{.network = network,
                     .key = key,
                     .network_secret = &secret,
                     .random = random,
                     .identify = [](const Claim& claim) { return Result<SiteId>(site_of(claim.key)); }};
    }
    std::unique_ptr<Channel> dial(Contact contact) {
        Setup mine = setup(dialler_key, dialler_random);
        if (contact == Contact::kFirst) return Channel::dial_first(std::move(mine), kRoles, kStart).value();
        return Channel::dial_known(std::move(mine), kRoles, answerer_key.public_key(),
                                   bytes_of("what is new?"), kStart)
            .value();
    }
    std::unique_ptr<Channel> answer() {
        return Channel::answer(setup(answerer_key, answerer_random), kStart);
    }
};

struct Said {
    ByteBuffer by_dialler;
    ByteBuffer by_answerer;
};

void carry(Channel& from, Channel& to, ByteBuffer& said) {
    const ByteBuffer bytes = drained(from);
    append(said, bytes);
    ASSERT_EQ(to.feed(bytes, kStart), bytes.size());
}

Said conversation(Contact contact) {
    Golden golden;
    Said said;
    const std::unique_ptr<Channel> dialler = golden.dial(contact);
    const std::unique_ptr<Channel> answerer = golden.answer();
    while (!dialler->to_send().empty() || !answerer->to_send().empty()) {
        carry(*dialler, *answerer, said.by_dialler);
        carry(*answerer, *dialler, said.by_answerer);
    }
    const env::Instant later{kStart.unix_ms + kKeyLifeMs};
    EXPECT_TRUE(answerer->send(bytes_of("nothing"), kStart).has_value());
    EXPECT_TRUE(answerer->close(kStart).has_value());
    EXPECT_TRUE(dialler->send(bytes_of("good night"), later).has_value());  // a key of an hour is replaced
    EXPECT_TRUE(dialler->close(later).has_value());
    append(said.by_dialler, dialler->to_send());
    append(said.by_answerer, answerer->to_send());
    return said;
}

std::vector<ByteBuffer> heard(Channel& channel, ByteView bytes) {
    std::vector<ByteBuffer> messages;
    Result<void> saw{};
    Pair::give(channel, bytes, saw, messages);
    EXPECT_TRUE(saw.has_value());
    EXPECT_TRUE(channel.end_of_stream().has_value());
    return messages;
}

TEST(ChannelVectors, BothEndsSayTheGoldenBytes) {
    const Said known = conversation(Contact::kKnown);
    EXPECT_EQ(to_hex(known.by_dialler), to_hex(vector_file("known-dialler.bin")));
    EXPECT_EQ(to_hex(known.by_answerer), to_hex(vector_file("known-answerer.bin")));
    const Said first = conversation(Contact::kFirst);
    EXPECT_EQ(to_hex(first.by_dialler), to_hex(vector_file("first-dialler.bin")));
    EXPECT_EQ(to_hex(first.by_answerer), to_hex(vector_file("first-answerer.bin")));
}

TEST(ChannelVectors, BothEndsUnderstandTheGoldenBytes) {
    using Messages = std::vector<ByteBuffer>;
    Golden golden;
    EXPECT_EQ(heard(*golden.answer(), vector_file("known-dialler.bin")),
              (Messages{buffer_of("what is new?"), buffer_of("good night")}));
    EXPECT_EQ(heard(*golden.answer(), vector_file("first-dialler.bin")), Messages{buffer_of("good night")});
    EXPECT_EQ(heard(*golden.dial(Contact::kKnown), vector_file("known-answerer.bin")),
              Messages{buffer_of("nothing")});
    EXPECT_EQ(heard(*golden.dial(Contact::kFirst), vector_file("first-answerer.bin")),
              Messages{buffer_of("nothing")});
}

TEST(ChannelVectors, APieceMayBeAsSmallAsAByte) {
    Golden golden;
    std::vector<ByteBuffer> messages = heard(*golden.answer(), vector_file("pieces-dialler.bin"));
    EXPECT_EQ(messages, (std::vector<ByteBuffer>{buffer_of("good night"), {}}));
}

}  // namespace
}  // namespace satchel::channel
