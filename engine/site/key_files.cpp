#include "engine/site/key_files.hpp"

#include <algorithm>
#include <array>

#include "engine/base/encoding.hpp"
#include "engine/trust/enrolment.hpp"

namespace satchel::site {

namespace {

constexpr std::uint32_t kSecretMode = 0600;
constexpr std::size_t kKeyFileMax = 16 * 1024;
constexpr char kFolder[] = "keys";
constexpr char kSealingPath[] = "keys/sealing.key";
constexpr char kSecretPath[] = "keys/network.secret";
constexpr char kRequestPath[] = "keys/request";

std::string private_path(std::string_view name) { return "keys/" + std::string(name) + ".key"; }
std::string public_path(std::string_view name) { return "keys/" + std::string(name) + ".pub"; }

using Secret = std::array<std::uint8_t, kSecretSize>;

Result<void> save_secret(env::Disk& disk, std::string_view path, ByteView secret) {
    SATCHEL_TRY_VOID(disk.make_directory(kFolder));
    const std::string text = to_hex(secret) + "\n";
    SATCHEL_TRY_VOID(env::replace_file(disk, path, bytes_of(text), kSecretMode));
    return disk.sync_directory("");
}

Result<Secret> load_secret(env::Disk& disk, std::string_view path) {
    SATCHEL_TRY(const ByteBuffer content, env::read_file(disk, path, kKeyFileMax));
    std::string_view text = text_of(content);
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    const std::optional<ByteBuffer> bytes = from_hex(text);
    Secret secret{};
    if (!bytes || bytes->size() != secret.size())
        return fail(ErrorCode::kDamaged, disk.describe(path), "the key file is damaged",
                    "make a new site in an empty folder and join again");
    std::copy(bytes->begin(), bytes->end(), secret.begin());
    return secret;
}

Result<Secret> load_or_make_secret(env::Disk& disk, std::string_view path, env::Random& random) {
    SATCHEL_TRY(const bool there, env::exists(disk, path));
    if (!there) {
        Secret fresh{};
        random.fill(fresh);
        SATCHEL_TRY_VOID(save_secret(disk, path, fresh));
    }
    return load_secret(disk, path);
}

}  // namespace

Result<trust::SigningKey> load_key(env::Disk& disk, std::string_view name) {
    SATCHEL_TRY(const ByteBuffer content, env::read_file(disk, private_path(name), kKeyFileMax));
    Result<trust::SigningKey> key = trust::parse_ssh_private_file(text_of(content));
    if (!key.has_value())
        return fail(ErrorCode::kDamaged, disk.describe(private_path(name)), "the key file is damaged",
                    "put the right keys back, or make a new site in an empty folder and join again",
                    key.error().reason.text());
    return key;
}

Result<trust::SigningKey> load_or_make_key(env::Disk& disk, std::string_view name, env::Random& random) {
    SATCHEL_TRY(const bool there, env::exists(disk, private_path(name)));
    if (!there) {
        SATCHEL_TRY_VOID(disk.make_directory(kFolder));
        const trust::SigningKey key = trust::SigningKey::generate(random);
        const std::string comment = "satchel-" + std::string(name);
        const std::string public_line = trust::ssh_public_line(key.public_key(), comment) + "\n";
        const std::string private_text = trust::ssh_private_file(key, comment, random);
        SATCHEL_TRY_VOID(env::replace_file(disk, public_path(name), bytes_of(public_line), 0644));
        SATCHEL_TRY_VOID(env::replace_file(disk, private_path(name), bytes_of(private_text), kSecretMode));
        SATCHEL_TRY_VOID(disk.sync_directory(""));
    }
    return load_key(disk, name);
}

Result<trust::SealingKey> load_or_make_sealing_key(env::Disk& disk, env::Random& random) {
    SATCHEL_TRY(const Secret seed, load_or_make_secret(disk, kSealingPath, random));
    return trust::SealingKey::from_seed(seed);
}

Result<trust::SealingKey> load_sealing_key(env::Disk& disk) {
    SATCHEL_TRY(const Secret seed, load_secret(disk, kSealingPath));
    return trust::SealingKey::from_seed(seed);
}

Result<ByteBuffer> load_or_make_network_secret(env::Disk& disk, env::Random& random) {
    SATCHEL_TRY(const Secret secret, load_or_make_secret(disk, kSecretPath, random));
    return ByteBuffer(secret.begin(), secret.end());
}

Result<ByteBuffer> load_network_secret(env::Disk& disk) {
    SATCHEL_TRY(const Secret secret, load_secret(disk, kSecretPath));
    return ByteBuffer(secret.begin(), secret.end());
}

Result<void> save_network_secret(env::Disk& disk, ByteView secret) {
    return save_secret(disk, kSecretPath, secret);
}

Result<void> save_request(env::Disk& disk, std::string_view text) {
    SATCHEL_TRY_VOID(disk.make_directory(kFolder));
    return env::replace_file(disk, kRequestPath, bytes_of(text), kSecretMode);
}

Result<std::string> load_request(env::Disk& disk) {
    SATCHEL_TRY(const ByteBuffer content, env::read_file(disk, kRequestPath, trust::kEnrolmentTextMax));
    return std::string(text_of(content));
}

Result<void> remove_request(env::Disk& disk) {
    const Result<void> removed = disk.remove_file(kRequestPath);
    if (!removed.has_value() && removed.error().code != ErrorCode::kNotFound) return removed.error();
    return disk.sync_directory(kFolder);
}

}  // namespace satchel::site
