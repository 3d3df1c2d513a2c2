// Noise's SymmetricState: a hash of all that was said and a chain of keys, over BLAKE2b-512.
#include <sodium.h>

#include "transport/channel/noise.hpp"

namespace satchel::channel::detail {

namespace {

constexpr std::size_t kHashSize = 64;
constexpr std::size_t kBlockSize = 128;  // of BLAKE2b, for HMAC (RFC 2104)

void hash_two(ByteView first, ByteView second, MutableBytes out) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, nullptr, 0, kHashSize);
    crypto_generichash_update(&state, first.data(), first.size());
    crypto_generichash_update(&state, second.data(), second.size());
    crypto_generichash_final(&state, out.data(), kHashSize);
    sodium_memzero(&state, sizeof state);
}

// HMAC with a key of one hash, as all keys here are: shorter than a block.
Secret<kHashSize> hmac(const Secret<kHashSize>& key, ByteView message) {
    Secret<kBlockSize> pad;
    const auto pad_with = [&](std::uint8_t byte) {
        std::fill(pad.writable().begin(), pad.writable().end(), byte);
        for (std::size_t i = 0; i < kHashSize; ++i) pad.writable()[i] ^= key.view()[i];
    };
    Secret<kHashSize> inner;
    Secret<kHashSize> outer;
    pad_with(0x36);
    hash_two(pad.view(), message, inner.writable());
    pad_with(0x5c);
    hash_two(pad.view(), inner.view(), outer.writable());
    return outer;
}

// Noise's HKDF: output i is HMAC(temporary, output i-1 || i).
class Expander {
  public:
    Expander(const Secret<kHashSize>& chain, ByteView input) : temporary_(hmac(chain, input)) {}
    Secret<kHashSize> next() {
        Secret<kHashSize + 1> message;
        const std::size_t carried = count_ == 0 ? 0 : kHashSize;
        std::copy_n(last_.view().begin(), carried, message.writable().begin());
        message.writable()[carried] = ++count_;
        last_ = hmac(temporary_, message.view().first(carried + 1));
        return Secret<kHashSize>(last_.view());
    }

  private:
    Secret<kHashSize> temporary_;
    Secret<kHashSize> last_;
    std::uint8_t count_ = 0;
};

// With a hash of 64 bytes Noise cuts cipher keys to 32.
CipherKey cipher_of(const Secret<kHashSize>& output) {
    return CipherKey(Secret<32>(output.view().first(32)));
}

}  // namespace

Transcript::Transcript(std::string_view protocol) {
    SATCHEL_CHECK(protocol.size() <= kHashSize);  // a longer name would have to be hashed
    std::copy(protocol.begin(), protocol.end(), hash_.begin());
    chain_ = Secret<kHashSize>(hash_);
}

void Transcript::mix_hash(ByteView data) {
    HandshakeHash next;
    hash_two(hash_, data, next);
    hash_ = next;
}

void Transcript::mix_key(ByteView input) {
    Expander expander(chain_, input);
    chain_ = expander.next();
    cipher_ = cipher_of(expander.next());
}

void Transcript::mix_key_and_hash(ByteView input) {
    Expander expander(chain_, input);
    chain_ = expander.next();
    mix_hash(expander.next().view());
    cipher_ = cipher_of(expander.next());
}

void Transcript::seal(ByteView plain, ByteBuffer& out) {
    const std::size_t at = out.size();
    if (cipher_)
        cipher_->seal(hash_, plain, out);
    else
        append(out, plain);
    mix_hash(ByteView(out).subspan(at));
}

bool Transcript::open(ByteView sealed, ByteBuffer& out) {
    if (!cipher_)
        append(out, sealed);
    else if (!cipher_->open(hash_, sealed, out))
        return false;
    mix_hash(sealed);
    return true;
}

std::pair<CipherKey, CipherKey> Transcript::split() const {
    Expander expander(chain_, {});
    CipherKey first = cipher_of(expander.next());
    return {std::move(first), cipher_of(expander.next())};
}

}  // namespace satchel::channel::detail
