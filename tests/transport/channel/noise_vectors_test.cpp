// The official vectors of the Noise protocol (tests/transport/channel/vectors/noise.txt): those of the two
// patterns in use run over the product's tables, the others over tables of this test, all by the same code.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "engine/base/encoding.hpp"
#include "transport/channel/noise.hpp"

namespace satchel::channel {
namespace {

struct Vector {
    std::string protocol;
    std::string hash;
    std::vector<std::string> messages;
};

struct VectorFile {
    std::map<std::string, std::string> common;
    std::vector<std::string> payloads;
    std::vector<Vector> vectors;
};

const VectorFile& vector_file() {
    static const VectorFile file = [] {
        VectorFile made;
        std::ifstream in(std::string(SATCHEL_SOURCE_DIR) + "/tests/transport/channel/vectors/noise.txt");
        for (std::string line; std::getline(in, line);) {
            if (line.empty() || line[0] == '#') continue;
            const std::size_t space = line.find(' ');
            const std::string name = line.substr(0, space);
            const std::string value = line.substr(space + 1);
            if (name == "payload")
                made.payloads.push_back(value);
            else if (name == "protocol")
                made.vectors.push_back({value, {}, {}});
            else if (name == "hash")
                made.vectors.back().hash = value;
            else if (name == "message")
                made.vectors.back().messages.push_back(value);
            else
                made.common[name] = value;
        }
        return made;
    }();
    return file;
}

ByteBuffer bytes_from(const std::string& hex) { return from_hex(hex).value(); }

trust::SealingKey key_from(const std::string& name) {
    const ByteBuffer bytes = bytes_from(vector_file().common.at(name));
    std::array<std::uint8_t, 32> seed{};
    std::copy(bytes.begin(), bytes.end(), seed.begin());
    return trust::SealingKey::from_seed(seed);
}

// Chance that always gives the vector's ephemeral key.
class FixedRandom : public env::Random {
  public:
    explicit FixedRandom(const std::string& name) : bytes_(bytes_from(vector_file().common.at(name))) {}
    void fill(MutableBytes bytes) override { std::copy_n(bytes_.begin(), bytes.size(), bytes.begin()); }

  private:
    ByteBuffer bytes_;
};

// The patterns of the Noise specification, section 7, without their psk.
const std::map<std::string, Pattern>& plain_patterns() {
    using enum Token;
    static const std::map<std::string, Pattern> patterns = {
        {"N", {.protocol = {}, .responder_static_known = true, .messages = {{kE, kES}}, .one_way = true}},
        {"K",
         {.protocol = {},
          .initiator_static_known = true,
          .responder_static_known = true,
          .messages = {{kE, kES, kSS}},
          .one_way = true}},
        {"X",
         {.protocol = {}, .responder_static_known = true, .messages = {{kE, kES, kS, kSS}}, .one_way = true}},
        {"NN", {.protocol = {}, .messages = {{kE}, {kE, kEE}}}},
        {"NK", {.protocol = {}, .responder_static_known = true, .messages = {{kE, kES}, {kE, kEE}}}},
        {"NX", {.protocol = {}, .messages = {{kE}, {kE, kEE, kS, kES}}}},
        {"KN", {.protocol = {}, .initiator_static_known = true, .messages = {{kE}, {kE, kEE, kSE}}}},
        {"KK",
         {.protocol = {},
          .initiator_static_known = true,
          .responder_static_known = true,
          .messages = {{kE, kES, kSS}, {kE, kEE, kSE}}}},
        {"KX", {.protocol = {}, .initiator_static_known = true, .messages = {{kE}, {kE, kEE, kSE, kS, kES}}}},
        {"XN", {.protocol = {}, .messages = {{kE}, {kE, kEE}, {kS, kSE}}}},
        {"XK",
         {.protocol = {}, .responder_static_known = true, .messages = {{kE, kES}, {kE, kEE}, {kS, kSE}}}},
        {"XX", {.protocol = {}, .messages = {{kE}, {kE, kEE, kS, kES}, {kS, kSE}}}},
        {"IN", {.protocol = {}, .messages = {{kE, kS}, {kE, kEE, kSE}}}},
        {"IK",
         {.protocol = {}, .responder_static_known = true, .messages = {{kE, kES, kS, kSS}, {kE, kEE, kSE}}}},
        {"IX", {.protocol = {}, .messages = {{kE, kS}, {kE, kEE, kSE, kS, kES}}}},
    };
    return patterns;
}

// From a name such as "Noise_XXpsk3_25519_ChaChaPoly_BLAKE2b"; `protocol` must outlive the pattern.
Pattern pattern_named(const std::string& protocol) {
    const std::string name = protocol.substr(6, protocol.find('_', 6) - 6);
    const std::size_t psk = name.find("psk");
    Pattern pattern = plain_patterns().at(name.substr(0, psk));
    pattern.protocol = protocol;
    if (psk == std::string::npos) return pattern;
    const std::size_t place = std::stoul(name.substr(psk + 3));
    if (place == 0)
        pattern.messages[0].insert(pattern.messages[0].begin(), Token::kPsk);
    else
        pattern.messages[place - 1].push_back(Token::kPsk);
    return pattern;
}

// Both ends write and read all messages of a vector: the handshake's, then those of the two directions.
void run(const Vector& vector, const Pattern& pattern) {
    SCOPED_TRACE(vector.protocol);
    const trust::SealingKey initiator_static = key_from("init_static");
    const trust::SealingKey responder_static = key_from("resp_static");
    const Secret<32> psk(bytes_from(vector_file().common.at("psk")));
    const ByteBuffer prologue = bytes_from(vector_file().common.at("prologue"));
    FixedRandom initiator_random("init_ephemeral");
    FixedRandom responder_random("resp_ephemeral");
    Handshake initiator(pattern, Side::kInitiator, prologue,
                        {.own = &initiator_static, .remote = responder_static.public_key(), .psk = &psk},
                        initiator_random);
    Handshake responder(pattern, Side::kResponder, prologue,
                        {.own = &responder_static, .remote = initiator_static.public_key(), .psk = &psk},
                        responder_random);

    std::size_t at = 0;
    for (; at < pattern.messages.size(); ++at) {
        Handshake& writer = at % 2 == 0 ? initiator : responder;
        Handshake& reader = at % 2 == 0 ? responder : initiator;
        ASSERT_TRUE(writer.my_turn());
        ByteBuffer message;
        ASSERT_TRUE(writer.write(bytes_from(vector_file().payloads[at]), message).has_value());
        EXPECT_EQ(to_hex(message), vector.messages[at]);
        const Result<ByteBuffer> payload = reader.read(message);
        ASSERT_TRUE(payload.has_value());
        EXPECT_EQ(to_hex(*payload), vector_file().payloads[at]);
    }
    ASSERT_TRUE(initiator.is_finished() && responder.is_finished());
    EXPECT_EQ(to_hex(initiator.hash()), vector.hash);
    EXPECT_EQ(to_hex(responder.hash()), vector.hash);

    Directions of_initiator = initiator.split();
    Directions of_responder = responder.split();
    ASSERT_LT(at, vector.messages.size());
    for (; at < vector.messages.size(); ++at) {
        const bool forth = pattern.one_way || at % 2 == 0;
        ByteBuffer message;
        (forth ? of_initiator : of_responder).sealer.seal(bytes_from(vector_file().payloads[at]), message);
        EXPECT_EQ(to_hex(message), vector.messages[at]);
        ByteBuffer payload;
        ASSERT_TRUE((forth ? of_responder : of_initiator).opener.open(message, payload));
        EXPECT_EQ(to_hex(payload), vector_file().payloads[at]);
    }
}

TEST(NoiseVectors, ThoseOfThePatternsInUseRunOverTheTablesOfTheProduct) {
    std::size_t seen = 0;
    for (const Pattern* pattern : {&noise_ik(), &noise_xxpsk3()}) {
        for (const Vector& vector : vector_file().vectors) {
            if (vector.protocol != pattern->protocol) continue;
            run(vector, *pattern);
            ++seen;
        }
    }
    EXPECT_EQ(seen, 2u);
}

TEST(NoiseVectors, AllThirtyThreeRunThroughTheSameCode) {
    ASSERT_EQ(vector_file().vectors.size(), 33u);
    for (const Vector& vector : vector_file().vectors) run(vector, pattern_named(vector.protocol));
}

}  // namespace
}  // namespace satchel::channel
