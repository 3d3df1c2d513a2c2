#include "engine/trust/keys.hpp"

#include <sodium.h>

#include <algorithm>
#include <optional>

#include "engine/base/check.hpp"

namespace satchel::trust {

namespace {

void need_sodium() {
    static const bool ready = sodium_init() >= 0;
    SATCHEL_CHECK(ready);
}

std::array<std::uint8_t, 64> secret_of(const std::array<std::uint8_t, 32>& seed, const PublicKey& key) {
    std::array<std::uint8_t, 64> secret;
    std::copy(seed.begin(), seed.end(), secret.begin());
    std::copy(key.digest.begin(), key.digest.end(), secret.begin() + 32);
    return secret;
}

ByteBuffer tagged(std::string_view domain, ByteView message) {
    ByteBuffer bytes;
    bytes.reserve(domain.size() + 1 + message.size());
    append(bytes, bytes_of(domain));
    bytes.push_back(0);
    append(bytes, message);
    return bytes;
}

// As crypto_box_seal: BLAKE2b-192 of both public keys.
std::array<std::uint8_t, crypto_box_NONCEBYTES> sealing_nonce(ByteView ephemeral, ByteView recipient) {
    ByteBuffer keys;
    append(keys, ephemeral);
    append(keys, recipient);
    std::array<std::uint8_t, crypto_box_NONCEBYTES> nonce;
    crypto_generichash(nonce.data(), nonce.size(), keys.data(), keys.size(), nullptr, 0);
    return nonce;
}

}  // namespace

SigningKey SigningKey::generate(env::Random& random) {
    std::array<std::uint8_t, 32> seed{};
    random.fill(seed);
    SigningKey key = from_seed(seed);
    sodium_memzero(seed.data(), seed.size());
    return key;
}

SigningKey SigningKey::from_seed(const std::array<std::uint8_t, 32>& seed) {
    need_sodium();
    SigningKey key;
    key.seed_ = seed;
    std::array<std::uint8_t, 64> secret;
    SATCHEL_CHECK(crypto_sign_seed_keypair(key.public_key_.digest.data(), secret.data(), seed.data()) == 0);
    sodium_memzero(secret.data(), secret.size());
    return key;
}

SigningKey::SigningKey(SigningKey&& other) noexcept : seed_(other.seed_), public_key_(other.public_key_) {
    sodium_memzero(other.seed_.data(), other.seed_.size());
}

SigningKey& SigningKey::operator=(SigningKey&& other) noexcept {
    if (this == &other) return *this;
    seed_ = other.seed_;
    public_key_ = other.public_key_;
    sodium_memzero(other.seed_.data(), other.seed_.size());
    return *this;
}

SigningKey::~SigningKey() { sodium_memzero(seed_.data(), seed_.size()); }

Signature SigningKey::sign_plain(ByteView message) const {
    std::array<std::uint8_t, 64> secret = secret_of(seed_, public_key_);
    Signature signature;
    SATCHEL_CHECK(crypto_sign_detached(signature.bytes.data(), nullptr, message.data(), message.size(),
                                       secret.data()) == 0);
    sodium_memzero(secret.data(), secret.size());
    return signature;
}

Signature SigningKey::sign(std::string_view domain, ByteView message) const {
    return sign_plain(tagged(domain, message));
}

// The test of the group costs more than the signature's own check, and a few keys sign almost all that comes:
// what was found acceptable last is remembered, one key a slot.
bool is_acceptable(const PublicKey& key) {
    need_sodium();
    constexpr std::size_t kSlots = 64;
    thread_local std::array<std::optional<PublicKey>, kSlots> accepted;
    std::optional<PublicKey>& slot = accepted[key.digest.back() % kSlots];
    if (slot == key) return true;
    if (crypto_core_ed25519_is_valid_point(key.digest.data()) != 1) return false;
    slot = key;
    return true;
}

bool verify_plain(const PublicKey& key, ByteView message, const Signature& signature) {
    need_sodium();
    return is_acceptable(key) && crypto_sign_verify_detached(signature.bytes.data(), message.data(),
                                                             message.size(), key.digest.data()) == 0;
}

bool verify(const PublicKey& key, std::string_view domain, ByteView message, const Signature& signature) {
    return verify_plain(key, tagged(domain, message), signature);
}

SiteId site_id_of(const PublicKey& signing_key) { return SiteId{hash_of(signing_key.view())}; }

SealingKey SealingKey::generate(env::Random& random) {
    std::array<std::uint8_t, 32> seed{};
    random.fill(seed);
    SealingKey key = from_seed(seed);
    sodium_memzero(seed.data(), seed.size());
    return key;
}

SealingKey SealingKey::from_seed(const std::array<std::uint8_t, 32>& seed) {
    need_sodium();
    SealingKey key;
    key.seed_ = seed;
    SATCHEL_CHECK(crypto_scalarmult_base(key.public_key_.digest.data(), seed.data()) == 0);
    return key;
}

SealingKey::SealingKey(SealingKey&& other) noexcept : seed_(other.seed_), public_key_(other.public_key_) {
    sodium_memzero(other.seed_.data(), other.seed_.size());
}

SealingKey& SealingKey::operator=(SealingKey&& other) noexcept {
    if (this == &other) return *this;
    seed_ = other.seed_;
    public_key_ = other.public_key_;
    sodium_memzero(other.seed_.data(), other.seed_.size());
    return *this;
}

SealingKey::~SealingKey() { sodium_memzero(seed_.data(), seed_.size()); }

Result<ByteBuffer> SealingKey::open(ByteView box) const {
    if (box.size() < crypto_box_SEALBYTES)
        return fail(ErrorCode::kRefused, "sealed part", "it is not sealed to this box, or it was altered",
                    "have it made again for this box");
    ByteBuffer plain(box.size() - crypto_box_SEALBYTES);
    if (crypto_box_seal_open(plain.data(), box.data(), box.size(), public_key_.digest.data(), seed_.data()) !=
        0)
        return fail(ErrorCode::kRefused, "sealed part", "it is not sealed to this box, or it was altered",
                    "have it made again for this box");
    return plain;
}

ByteBuffer seal(const SealingPublicKey& to, ByteView plain, env::Random& random) {
    const SealingKey ephemeral = SealingKey::generate(random);
    const auto nonce = sealing_nonce(ephemeral.public_key().view(), to.view());
    ByteBuffer box(ephemeral.public_key().digest.begin(), ephemeral.public_key().digest.end());
    box.resize(crypto_box_SEALBYTES + plain.size());
    // Fails for a recipient key of small order: then the box opens for nobody, as it should.
    const int failed = crypto_box_easy(box.data() + 32, plain.data(), plain.size(), nonce.data(),
                                       to.digest.data(), ephemeral.seed().data());
    if (failed != 0) std::fill(box.begin() + 32, box.end(), std::uint8_t{0});
    return box;
}

namespace {

constexpr std::string_view kConsonants = "bdfghjklmnprstvz";
constexpr std::string_view kVowels = "aiou";
constexpr std::size_t kWords = 5;

std::string word_of(unsigned bits) {
    return {kConsonants[bits >> 12 & 15], kVowels[bits >> 10 & 3], kConsonants[bits >> 6 & 15],
            kVowels[bits >> 4 & 3], kConsonants[bits & 15]};
}

std::string letters_of(std::string_view said) {
    std::string letters;
    for (const char c : said) {
        if (c >= 'a' && c <= 'z')
            letters.push_back(c);
        else if (c >= 'A' && c <= 'Z')
            letters.push_back(static_cast<char>(c - 'A' + 'a'));
    }
    return letters;
}

}  // namespace

std::string words_of(const Digest& digest) {
    std::string words;
    for (std::size_t i = 0; i < kWords; ++i) {
        if (i > 0) words += '-';
        words += word_of(static_cast<unsigned>(digest[2 * i] << 8 | digest[2 * i + 1]));
    }
    return words;
}

bool words_match(std::string_view said, const Digest& digest) {
    return letters_of(said) == letters_of(words_of(digest));
}

}  // namespace satchel::trust
