#include "transport/channel/cipher.hpp"

#include <sodium.h>

#include <limits>

namespace satchel::channel {

namespace {

static_assert(kTagSize == crypto_aead_chacha20poly1305_ietf_ABYTES);

using Nonce = std::array<std::uint8_t, crypto_aead_chacha20poly1305_ietf_NPUBBYTES>;

// Noise keeps the last nonce for rekey().
constexpr std::uint64_t kNonceOfRekey = std::numeric_limits<std::uint64_t>::max();

// As Noise says for ChaChaPoly: four zero bytes, then the counter, little-endian.
Nonce nonce_of(std::uint64_t counter) {
    Nonce nonce{};
    for (std::size_t i = 0; i < 8; ++i) nonce[4 + i] = static_cast<std::uint8_t>(counter >> (8 * i));
    return nonce;
}

}  // namespace

void wipe(MutableBytes bytes) { sodium_memzero(bytes.data(), bytes.size()); }

CipherKey::CipherKey(CipherKey&& other) noexcept
    : key_(std::move(other.key_)), nonce_(other.nonce_), spent_(other.spent_) {
    other.spend();
}

CipherKey& CipherKey::operator=(CipherKey&& other) noexcept {
    if (this == &other) return *this;
    key_ = std::move(other.key_);
    nonce_ = other.nonce_;
    spent_ = other.spent_;
    other.spend();
    return *this;
}

void CipherKey::spend() {
    wipe(key_.writable());
    spent_ = true;
}

void CipherKey::seal(ByteView associated, ByteView plain, ByteBuffer& out) {
    SATCHEL_CHECK(!spent_ && nonce_ != kNonceOfRekey);
    const Nonce nonce = nonce_of(nonce_++);
    const std::size_t at = out.size();
    out.resize(at + plain.size() + kTagSize);
    crypto_aead_chacha20poly1305_ietf_encrypt(out.data() + at, nullptr, plain.data(), plain.size(),
                                              associated.data(), associated.size(), nullptr, nonce.data(),
                                              key_.view().data());
}

bool CipherKey::open(ByteView associated, ByteView sealed, ByteBuffer& out) {
    if (spent_ || sealed.size() < kTagSize || nonce_ == kNonceOfRekey) {
        spend();
        return false;
    }
    const Nonce nonce = nonce_of(nonce_++);
    const std::size_t at = out.size();
    out.resize(at + sealed.size() - kTagSize);
    const int altered = crypto_aead_chacha20poly1305_ietf_decrypt(
        out.data() + at, nullptr, nullptr, sealed.data(), sealed.size(), associated.data(), associated.size(),
        nonce.data(), key_.view().data());
    if (altered == 0) return true;
    out.resize(at);
    spend();
    return false;
}

void CipherKey::rekey() {
    SATCHEL_CHECK(!spent_);
    const Nonce nonce = nonce_of(kNonceOfRekey);
    const std::array<std::uint8_t, 32> zeros{};
    std::array<std::uint8_t, 32 + kTagSize> sealed{};
    crypto_aead_chacha20poly1305_ietf_encrypt(sealed.data(), nullptr, zeros.data(), zeros.size(), nullptr, 0,
                                              nullptr, nonce.data(), key_.view().data());
    key_ = Secret<32>(ByteView(sealed).first(32));
    wipe(sealed);
}

}  // namespace satchel::channel
