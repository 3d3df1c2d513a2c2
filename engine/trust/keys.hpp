// Ed25519 signatures and X25519 sealing, both from libsodium. Every signature of a fixed layout is made
// under a domain tag, so that no signed bytes of one kind can be taken for another.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "engine/base/bytes.hpp"
#include "engine/base/ids.hpp"
#include "engine/base/result.hpp"
#include "engine/env/random.hpp"

namespace satchel::trust {

using PublicKey = HashId<struct PublicKeyTag>;          // Ed25519 public key
using SealingPublicKey = HashId<struct SealingKeyTag>;  // X25519 public key

struct Signature {
    std::array<std::uint8_t, 64> bytes{};
    friend bool operator==(const Signature&, const Signature&) = default;
};

// Secret; wiped when it goes. Move-only.
class SigningKey {
  public:
    static SigningKey generate(env::Random& random);
    static SigningKey from_seed(const std::array<std::uint8_t, 32>& seed);
    SigningKey(SigningKey&&) noexcept;
    SigningKey& operator=(SigningKey&&) noexcept;
    ~SigningKey();
    [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
    [[nodiscard]] const std::array<std::uint8_t, 32>& seed() const { return seed_; }
    [[nodiscard]] Signature sign(std::string_view domain, ByteView message) const;  // of domain, NUL, message
    [[nodiscard]] Signature sign_plain(ByteView message) const;  // for formats of others (SSHSIG)

  private:
    SigningKey() = default;
    std::array<std::uint8_t, 32> seed_{};
    PublicKey public_key_{};
};

// The rule that Satchel pins (docs/decisions/0003): the key is acceptable, S < L, R is canonical and not of
// small order, and S*B = R + k*A holds without multiplying by the cofactor.
[[nodiscard]] bool verify(const PublicKey& key, std::string_view domain, ByteView message, const Signature&);
[[nodiscard]] bool verify_plain(const PublicKey& key, ByteView message, const Signature&);
// Canonical, on the curve, in the group of prime order (so neither small nor mixed order).
[[nodiscard]] bool is_acceptable(const PublicKey& key);

[[nodiscard]] SiteId site_id_of(const PublicKey& signing_key);

// Secret; wiped when it goes. Boxes are compatible with crypto_box_seal.
class SealingKey {
  public:
    static SealingKey generate(env::Random& random);
    static SealingKey from_seed(const std::array<std::uint8_t, 32>& seed);
    SealingKey(SealingKey&&) noexcept;
    SealingKey& operator=(SealingKey&&) noexcept;
    ~SealingKey();
    [[nodiscard]] const SealingPublicKey& public_key() const { return public_key_; }
    [[nodiscard]] const std::array<std::uint8_t, 32>& seed() const { return seed_; }
    Result<ByteBuffer> open(ByteView box) const;  // kRefused: not for this key, or altered

  private:
    SealingKey() = default;
    std::array<std::uint8_t, 32> seed_{};
    SealingPublicKey public_key_{};
};
[[nodiscard]] ByteBuffer seal(const SealingPublicKey& to, ByteView plain, env::Random& random);

// 80 bits of a digest as five pronounceable words (proquints: Wilkerson, 2009), e.g.
// "lusab-babad-gutih-tugad-mokan".
[[nodiscard]] std::string words_of(const Digest& digest);
// Spoken words forgive case and anything but letters between them.
[[nodiscard]] bool words_match(std::string_view said, const Digest& digest);

}  // namespace satchel::trust
