// Sources: OpenSSH's PROTOCOL.sshsig 1.4 and PROTOCOL.key.
#include "engine/trust/ssh.hpp"

#include <sodium.h>

#include <algorithm>

#include "engine/base/encoding.hpp"

namespace satchel::trust {

namespace {

constexpr std::string_view kAlgorithm = "ssh-ed25519";
constexpr std::string_view kHash = "sha512";
constexpr std::string_view kMagic = "SSHSIG";
constexpr std::string_view kBegin = "-----BEGIN SSH SIGNATURE-----";
constexpr std::string_view kEnd = "-----END SSH SIGNATURE-----";
constexpr std::string_view kKeyBegin = "-----BEGIN OPENSSH PRIVATE KEY-----";
constexpr std::string_view kKeyEnd = "-----END OPENSSH PRIVATE KEY-----";
constexpr std::size_t kLineLength = 70;
constexpr std::size_t kKeyTextMax = 16 * 1024;

// SSH's wire format: big-endian lengths.
class SshWriter {
  public:
    SshWriter& number(std::uint32_t value) {
        for (int shift = 24; shift >= 0; shift -= 8)
            bytes.push_back(static_cast<std::uint8_t>(value >> shift));
        return *this;
    }
    SshWriter& string(ByteView value) {
        number(static_cast<std::uint32_t>(value.size()));
        append(bytes, value);
        return *this;
    }
    SshWriter& string(std::string_view value) { return string(bytes_of(value)); }
    SshWriter& raw(std::string_view value) {
        append(bytes, bytes_of(value));
        return *this;
    }
    ByteBuffer bytes;
};

class SshReader {
  public:
    explicit SshReader(ByteView in) : in_(in) {}
    std::uint32_t number() {
        std::uint32_t value = 0;
        for (const std::uint8_t byte : in_.raw(4)) value = value << 8 | byte;
        return value;
    }
    ByteView string() { return in_.raw(number()); }
    std::string_view text() { return text_of(string()); }
    ByteView raw(std::size_t size) { return in_.raw(size); }
    [[nodiscard]] bool at_end() const { return in_.at_end(); }
    [[nodiscard]] bool ok() const { return in_.ok(); }

  private:
    Reader in_;
};

ByteBuffer public_blob(const PublicKey& key) {
    return SshWriter().string(kAlgorithm).string(key.view()).bytes;
}

std::optional<PublicKey> parse_public_blob(ByteView blob) {
    SshReader reader(blob);
    if (reader.text() != kAlgorithm) return std::nullopt;
    const ByteView bytes = reader.string();
    PublicKey key;
    if (bytes.size() != key.digest.size() || !reader.at_end()) return std::nullopt;
    std::copy(bytes.begin(), bytes.end(), key.digest.begin());
    return key;
}

ByteBuffer to_be_signed(std::string_view name_space, ByteView message) {
    std::array<std::uint8_t, crypto_hash_sha512_BYTES> digest;
    crypto_hash_sha512(digest.data(), message.data(), message.size());
    return SshWriter().raw(kMagic).string(name_space).string("").string(kHash).string(ByteView(digest)).bytes;
}

std::string in_lines(std::string_view begin, ByteView blob, std::string_view end) {
    const std::string encoded = to_base64(blob);
    std::string text(begin);
    text += '\n';
    for (std::size_t at = 0; at < encoded.size(); at += kLineLength)
        text += encoded.substr(at, kLineLength) + "\n";
    return text.append(end);
}

// The bytes between the two lines, however their base64 is broken into lines; nothing may stand around them.
std::optional<ByteBuffer> from_lines(std::string_view text, std::string_view begin, std::string_view end) {
    if (!text.starts_with(begin) || !text.ends_with(end) || text.size() < begin.size() + end.size())
        return std::nullopt;
    std::string encoded;
    for (const char c : text.substr(begin.size(), text.size() - begin.size() - end.size()))
        if (c != '\n' && c != '\r') encoded.push_back(c);
    return from_base64(encoded);
}

// PROTOCOL.key: 1, 2, 3 ... up to a multiple of the cipher's block, which is 8 where there is no cipher.
bool ends_in_padding(SshReader& reader) {
    std::uint8_t expected = 1;
    while (reader.ok() && !reader.at_end() && expected < 8)
        if (reader.raw(1)[0] != expected++) return false;
    return reader.at_end();
}

Error refused(Literal reason) {
    return fail(ErrorCode::kRefused, "signature", reason, "have it signed again with the right key");
}

}  // namespace

std::string ssh_sign(const SigningKey& key, std::string_view name_space, ByteView message) {
    const Signature signature = key.sign_plain(to_be_signed(name_space, message));
    const ByteBuffer wrapped = SshWriter().string(kAlgorithm).string(ByteView(signature.bytes)).bytes;
    SshWriter blob;
    blob.raw(kMagic).number(1).string(public_blob(key.public_key()));
    blob.string(name_space).string("").string(kHash).string(wrapped);
    return in_lines(kBegin, blob.bytes, kEnd);
}

Result<PublicKey> ssh_verify(std::string_view armor, std::string_view name_space, ByteView message) {
    if (armor.size() > kArmorMax) return refused("the signature is not in its format");
    const std::optional<ByteBuffer> blob = from_lines(armor, kBegin, kEnd);
    if (!blob || in_lines(kBegin, *blob, kEnd) != armor) return refused("the signature is not in its format");
    SshReader reader(*blob);
    if (text_of(reader.raw(kMagic.size())) != kMagic || reader.number() != 1)
        return refused("the signature is not in its format");
    const std::optional<PublicKey> key = parse_public_blob(reader.string());
    const std::string_view signed_name_space = reader.text();
    const std::string_view reserved = reader.text();
    const std::string_view hash = reader.text();
    SshReader wrapped(reader.string());
    const std::string_view algorithm = wrapped.text();
    const ByteView bytes = wrapped.string();
    Signature signature;
    if (!reader.at_end() || !wrapped.at_end() || !key || !reserved.empty() || algorithm != kAlgorithm ||
        bytes.size() != signature.bytes.size())
        return refused("the signature is not in its format");
    if (hash != kHash) return refused("the signature uses another hash than sha512");
    if (signed_name_space != name_space) return refused("the signature was made for another purpose");
    std::copy(bytes.begin(), bytes.end(), signature.bytes.begin());
    if (!verify_plain(*key, to_be_signed(name_space, message), signature))
        return refused("the signature does not hold");
    return *key;
}

std::string ssh_public_line(const PublicKey& key, std::string_view comment) {
    std::string line = std::string(kAlgorithm) + " " + to_base64(public_blob(key));
    if (!comment.empty()) line += " " + std::string(comment);
    return line;
}

Result<PublicKey> parse_ssh_public_line(std::string_view line) {
    const auto bad = [] {
        return fail(ErrorCode::kUsage, "public key", "this is not an ed25519 public key of OpenSSH",
                    "make one with `ssh-keygen -t ed25519` and give the .pub file");
    };
    const std::size_t start = kAlgorithm.size() + 1;
    if (!line.starts_with(kAlgorithm) || line.size() <= start || line[start - 1] != ' ') return bad();
    const std::size_t end = std::min(line.find_first_of(" \r\n", start), line.size());
    const std::optional<ByteBuffer> blob = from_base64(line.substr(start, end - start));
    if (!blob) return bad();
    const std::optional<PublicKey> key = parse_public_blob(*blob);
    if (!key || !is_acceptable(*key)) return bad();
    return *key;
}

std::string ssh_private_file(const SigningKey& key, std::string_view comment, env::Random& random) {
    std::array<std::uint8_t, 4> check_bytes{};
    random.fill(check_bytes);
    std::uint32_t check = 0;
    for (const std::uint8_t byte : check_bytes) check = check << 8 | byte;
    ByteBuffer secret(key.seed().begin(), key.seed().end());
    append(secret, key.public_key().view());
    SshWriter inner;
    inner.number(check).number(check).string(kAlgorithm).string(key.public_key().view());
    inner.string(secret).string(comment);
    for (std::uint8_t pad = 1; inner.bytes.size() % 8 != 0; ++pad) inner.bytes.push_back(pad);
    SshWriter outer;
    outer.raw("openssh-key-v1").bytes.push_back(0);
    outer.string("none").string("none").string("").number(1);
    outer.string(public_blob(key.public_key())).string(inner.bytes);
    std::string text = in_lines(kKeyBegin, outer.bytes, kKeyEnd) + "\n";
    sodium_memzero(secret.data(), secret.size());
    return text;
}

Result<SigningKey> parse_ssh_private_file(std::string_view text) {
    const auto bad = [] {
        return fail(ErrorCode::kUsage, "private key", "this is not an ed25519 private key of OpenSSH",
                    "make one with `ssh-keygen -t ed25519`");
    };
    constexpr std::string_view kKeyMagic("openssh-key-v1\0", 15);
    if (text.size() > kKeyTextMax) return bad();
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
        text.remove_suffix(1);
    const std::optional<ByteBuffer> blob = from_lines(text, kKeyBegin, kKeyEnd);
    if (!blob) return bad();
    SshReader outer(*blob);
    if (text_of(outer.raw(kKeyMagic.size())) != kKeyMagic) return bad();
    const std::string_view cipher = outer.text();
    const std::string_view derivation = outer.text();
    outer.string();
    const std::uint32_t keys = outer.number();
    const std::optional<PublicKey> key = parse_public_blob(outer.string());
    SshReader inner(outer.string());
    if (!outer.ok() || keys != 1 || !key) return bad();
    // Some ciphers put a tag behind the sealed part, so this comes before the question what else is there.
    if (cipher != "none" || derivation != "none")
        return fail(ErrorCode::kRefused, "private key", "the private key is protected by a passphrase",
                    "sign with `ssh-keygen -Y sign` and bring the signature with `satchel review import`");
    const bool checks_agree = inner.number() == inner.number();
    const std::string_view algorithm = inner.text();
    const ByteView stated = inner.string();
    const ByteView secret = inner.string();
    inner.string();  // the comment
    if (!outer.at_end() || !checks_agree || algorithm != kAlgorithm || !equal(stated, key->view()))
        return bad();
    if (secret.size() != 64 || !equal(secret.subspan(32), key->view()) || !ends_in_padding(inner))
        return bad();
    std::array<std::uint8_t, 32> seed{};
    std::copy_n(secret.begin(), seed.size(), seed.begin());
    SigningKey made = SigningKey::from_seed(seed);
    sodium_memzero(seed.data(), seed.size());
    if (made.public_key() != *key) return bad();
    return made;
}

}  // namespace satchel::trust
