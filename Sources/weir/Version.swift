/// The version that `weir --version`, the console and the admin door show.
enum Version {
    static let text = "0.1.0"
}
