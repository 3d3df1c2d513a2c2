// The Noise handshake (noiseprotocol.org, revision 34) over X25519, ChaCha20-Poly1305 and BLAKE2b, driven by
// tables of tokens. Two patterns are in use; the official vectors of others run through the same code.
//
// A handshake goes wrong once: after the first message that does not hold it has no keys any more.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/base/result.hpp"
#include "engine/env/random.hpp"
#include "engine/trust/keys.hpp"
#include "transport/channel/cipher.hpp"

namespace satchel::channel {

inline constexpr std::size_t kNoiseMessageMax = 65'535;  // Noise's own limit, and what a u16 length can say

enum class Side { kInitiator, kResponder };

// e, s: a public key is sent. ee ... ss: a Diffie-Hellman of the initiator's (first letter) and the
// responder's (second letter) ephemeral or static keys. psk: the shared secret is mixed in.
enum class Token { kE, kS, kEE, kES, kSE, kSS, kPsk };

struct Pattern {
    std::string_view protocol;            // full name; at most 64 bytes
    bool initiator_static_known = false;  // pre-message "-> s"
    bool responder_static_known = false;  // pre-message "<- s"
    std::vector<std::vector<Token>> messages;
    bool one_way = false;  // every message is the initiator's
};

// Known sites: the initiator knows the responder's key from the roster. One round trip, and the first
// message carries a payload, which may be a replay.
[[nodiscard]] const Pattern& noise_ik();
// First contact: neither knows the other's key, both know the network's secret.
[[nodiscard]] const Pattern& noise_xxpsk3();

// What one end brings; all of it is borrowed until the handshake ends.
struct HandshakeKeys {
    const trust::SealingKey* own = nullptr;
    std::optional<trust::SealingPublicKey> remote{};  // if the pattern says that it is known
    const Secret<32>* psk = nullptr;
};

using HandshakeHash = std::array<std::uint8_t, 64>;

namespace detail {

// Noise's SymmetricState.
class Transcript {
  public:
    explicit Transcript(std::string_view protocol);
    void mix_hash(ByteView data);
    void mix_key(ByteView input);
    void mix_key_and_hash(ByteView input);
    void seal(ByteView plain, ByteBuffer& out);
    [[nodiscard]] bool open(ByteView sealed, ByteBuffer& out);
    [[nodiscard]] std::pair<CipherKey, CipherKey> split() const;
    [[nodiscard]] bool has_key() const { return cipher_.has_value(); }
    [[nodiscard]] const HandshakeHash& hash() const { return hash_; }

  private:
    Secret<64> chain_;
    HandshakeHash hash_{};
    std::optional<CipherKey> cipher_;
};

}  // namespace detail

struct Directions {
    Sealer sealer;
    Opener opener;
};

class Handshake {
  public:
    // Keeps `keys`, `pattern` and `random` by reference.
    Handshake(const Pattern& pattern, Side side, ByteView prologue, HandshakeKeys keys, env::Random& random);

    // Appends the next message of ours. kTooLarge: the payload does not fit; kRefused: the other end's key
    // is none (its Diffie-Hellman gives zero).
    Result<void> write(ByteView payload, ByteBuffer& out);
    // The payload of the other end's next message. kRefused: it does not hold; kDamaged: it has no such
    // length.
    Result<ByteBuffer> read(ByteView message);

    [[nodiscard]] bool my_turn() const;
    [[nodiscard]] bool is_finished() const { return !dead_ && next_ == pattern_.messages.size(); }
    [[nodiscard]] const std::optional<trust::SealingPublicKey>& remote_static() const {
        return remote_static_;
    }
    // Of all that both have said; final when finished.
    [[nodiscard]] const HandshakeHash& hash() const { return transcript_.hash(); }
    [[nodiscard]] Directions split();  // once, when finished

  private:
    Result<void> write_tokens(ByteBuffer& out);
    Result<void> read_tokens(ByteView& message);
    Result<void> read_static(ByteView& message);
    [[nodiscard]] bool mix_token(Token token);  // of ee ... psk
    [[nodiscard]] bool mix_shared(const trust::SealingKey* own,
                                  const std::optional<trust::SealingPublicKey>& remote);
    void mix_ephemeral(const trust::SealingPublicKey& key);
    Error die(Error error);

    const Pattern& pattern_;
    Side side_;
    HandshakeKeys keys_;
    env::Random& random_;
    detail::Transcript transcript_;
    std::optional<trust::SealingKey> ephemeral_;
    std::optional<trust::SealingPublicKey> remote_ephemeral_;
    std::optional<trust::SealingPublicKey> remote_static_;
    bool uses_psk_ = false;
    bool dead_ = false;
    std::size_t next_ = 0;  // message
};

}  // namespace satchel::channel
