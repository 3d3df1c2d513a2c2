#include "transport/channel/noise.hpp"

#include <sodium.h>

#include <algorithm>

#include "transport/channel/errors.hpp"

namespace satchel::channel {

namespace {

constexpr std::size_t kKeySize = 32;

}  // namespace

const Pattern& noise_ik() {
    using enum Token;
    static const Pattern pattern = {.protocol = "Noise_IK_25519_ChaChaPoly_BLAKE2b",
                                    .responder_static_known = true,
                                    .messages = {{kE, kES, kS, kSS}, {kE, kEE, kSE}}};
    return pattern;
}

const Pattern& noise_xxpsk3() {
    using enum Token;
    static const Pattern pattern = {.protocol = "Noise_XXpsk3_25519_ChaChaPoly_BLAKE2b",
                                    .messages = {{kE}, {kE, kEE, kS, kES}, {kS, kSE, kPsk}}};
    return pattern;
}

Handshake::Handshake(const Pattern& pattern, Side side, ByteView prologue, HandshakeKeys keys,
                     env::Random& random)
    : pattern_(pattern), side_(side), keys_(keys), random_(random), transcript_(pattern.protocol) {
    transcript_.mix_hash(prologue);
    const auto pre_message = [&](Side owner) {
        if (owner == side_) {
            SATCHEL_CHECK(keys_.own != nullptr);
            transcript_.mix_hash(keys_.own->public_key().view());
        } else {
            SATCHEL_CHECK(keys_.remote.has_value());
            remote_static_ = keys_.remote;
            transcript_.mix_hash(remote_static_->view());
        }
    };
    if (pattern_.initiator_static_known) pre_message(Side::kInitiator);
    if (pattern_.responder_static_known) pre_message(Side::kResponder);
    for (const std::vector<Token>& message : pattern_.messages)
        uses_psk_ = uses_psk_ || std::find(message.begin(), message.end(), Token::kPsk) != message.end();
    SATCHEL_CHECK(!uses_psk_ || keys_.psk != nullptr);
}

bool Handshake::my_turn() const {
    if (dead_ || next_ == pattern_.messages.size()) return false;
    const Side writer = pattern_.one_way || next_ % 2 == 0 ? Side::kInitiator : Side::kResponder;
    return writer == side_;
}

Result<void> Handshake::write(ByteView payload, ByteBuffer& out) {
    SATCHEL_CHECK(my_turn());
    const std::size_t at = out.size();
    if (payload.size() > kNoiseMessageMax) return message_too_large();
    if (Result<void> written = write_tokens(out); !written) {
        out.resize(at);
        return die(std::move(written).error());
    }
    transcript_.seal(payload, out);
    if (out.size() - at > kNoiseMessageMax) {
        out.resize(at);
        return die(message_too_large());
    }
    ++next_;
    return {};
}

Result<void> Handshake::write_tokens(ByteBuffer& out) {
    for (const Token token : pattern_.messages[next_]) {
        if (token == Token::kE) {
            ephemeral_ = trust::SealingKey::generate(random_);
            append(out, ephemeral_->public_key().view());
            mix_ephemeral(ephemeral_->public_key());
        } else if (token == Token::kS) {
            SATCHEL_CHECK(keys_.own != nullptr);
            transcript_.seal(keys_.own->public_key().view(), out);
        } else if (!mix_token(token)) {
            return handshake_fails("low-order key");
        }
    }
    return {};
}

Result<ByteBuffer> Handshake::read(ByteView message) {
    SATCHEL_CHECK(!my_turn() && !is_finished());
    if (dead_) return handshake_fails("after a failure");
    if (message.size() > kNoiseMessageMax) return die(link_altered("handshake message too long"));
    if (Result<void> read = read_tokens(message); !read) return die(std::move(read).error());
    ByteBuffer payload;
    if (!transcript_.open(message, payload)) return die(handshake_fails("payload"));
    ++next_;
    return payload;
}

Result<void> Handshake::read_tokens(ByteView& message) {
    for (const Token token : pattern_.messages[next_]) {
        if (token == Token::kE) {
            if (message.size() < kKeySize) return link_altered("handshake message too short");
            remote_ephemeral_.emplace();
            std::copy_n(message.begin(), kKeySize, remote_ephemeral_->digest.begin());
            message = message.subspan(kKeySize);
            mix_ephemeral(*remote_ephemeral_);
        } else if (token == Token::kS) {
            SATCHEL_TRY_VOID(read_static(message));
        } else if (!mix_token(token)) {
            return handshake_fails("low-order key");
        }
    }
    return {};
}

Result<void> Handshake::read_static(ByteView& message) {
    const std::size_t size = kKeySize + (transcript_.has_key() ? kTagSize : 0);
    if (message.size() < size) return link_altered("handshake message too short");
    ByteBuffer key;
    if (!transcript_.open(message.first(size), key)) return handshake_fails("static key");
    message = message.subspan(size);
    remote_static_.emplace();
    std::copy_n(key.begin(), kKeySize, remote_static_->digest.begin());
    return {};
}

// With a psk, ephemeral keys go into the key too, so that no two handshakes share one.
void Handshake::mix_ephemeral(const trust::SealingPublicKey& key) {
    transcript_.mix_hash(key.view());
    if (uses_psk_) transcript_.mix_key(key.view());
}

bool Handshake::mix_token(Token token) {
    const trust::SealingKey* own_ephemeral = ephemeral_ ? &*ephemeral_ : nullptr;
    const bool initiates = side_ == Side::kInitiator;
    switch (token) {
        case Token::kEE:
            return mix_shared(own_ephemeral, remote_ephemeral_);
        case Token::kSS:
            return mix_shared(keys_.own, remote_static_);
        case Token::kES:
            return initiates ? mix_shared(own_ephemeral, remote_static_)
                             : mix_shared(keys_.own, remote_ephemeral_);
        case Token::kSE:
            return initiates ? mix_shared(keys_.own, remote_ephemeral_)
                             : mix_shared(own_ephemeral, remote_static_);
        case Token::kPsk:
            transcript_.mix_key_and_hash(keys_.psk->view());
            return true;
        case Token::kE:
        case Token::kS:
            break;
    }
    SATCHEL_CHECK(false);
    return false;
}

bool Handshake::mix_shared(const trust::SealingKey* own,
                           const std::optional<trust::SealingPublicKey>& remote) {
    SATCHEL_CHECK(own != nullptr && remote.has_value());
    Secret<kKeySize> shared;
    // Fails where the product is zero: the remote key lies in the small subgroup, and anyone would know it.
    const int zero = crypto_scalarmult(shared.writable().data(), own->seed().data(), remote->digest.data());
    if (zero != 0) return false;
    transcript_.mix_key(shared.view());
    return true;
}

Error Handshake::die(Error error) {
    dead_ = true;
    ephemeral_.reset();
    remote_static_.reset();
    transcript_ = detail::Transcript(pattern_.protocol);
    return error;
}

Directions Handshake::split() {
    SATCHEL_CHECK(is_finished());
    auto [from_initiator, from_responder] = transcript_.split();
    dead_ = true;  // the same keys never come twice
    ephemeral_.reset();
    if (side_ == Side::kInitiator)
        return {Sealer(std::move(from_initiator)), Opener(std::move(from_responder))};
    return {Sealer(std::move(from_responder)), Opener(std::move(from_initiator))};
}

}  // namespace satchel::channel
