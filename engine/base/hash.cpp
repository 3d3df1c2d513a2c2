#include "engine/base/hash.hpp"

#include <sodium.h>

#include "engine/base/check.hpp"

namespace satchel {

namespace {
crypto_generichash_state* state_of(std::array<std::uint8_t, 384>& storage) {
    static_assert(sizeof(crypto_generichash_state) <= 384);
    return reinterpret_cast<crypto_generichash_state*>(storage.data());
}
}  // namespace

Hasher::Hasher() { crypto_generichash_init(state_of(state_), nullptr, 0, std::tuple_size_v<Digest>); }

Hasher& Hasher::update(ByteView bytes) {
    crypto_generichash_update(state_of(state_), bytes.data(), bytes.size());
    return *this;
}

Digest Hasher::finish() {
    Digest digest;
    crypto_generichash_final(state_of(state_), digest.data(), digest.size());
    return digest;
}

Digest hash_of(ByteView bytes) {
    Digest digest;
    const int failed =
        crypto_generichash(digest.data(), digest.size(), bytes.data(), bytes.size(), nullptr, 0);
    SATCHEL_CHECK(failed == 0);
    return digest;
}

}  // namespace satchel
