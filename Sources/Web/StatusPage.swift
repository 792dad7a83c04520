internal import Crypto
internal import Foundation

/// The page: one document with its style and its script in it, made of the files in `Page/` when the process first shows it.
public enum StatusPage {
    /// As it is sent.
    public static let document: [UInt8] = Array(assembled.utf8)

    /// What the page may do in a browser: run its own script, use its own style, ask this server, and nothing else.
    ///
    /// Text can only become text: no string is let become markup.
    static let policy = """
        default-src 'none'; script-src '\(hash(script))'; style-src '\(hash(style))'; img-src data:; \
        connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
        require-trusted-types-for 'script'; trusted-types 'none'
        """

    private static let style = text(PackageResources.page_css)
    private static let script = text(PackageResources.page_js)
    private static let assembled = text(PackageResources.page_html)
        .replacing("<style></style>", with: "<style>\(style)</style>", maxReplacements: 1)
        .replacing("<script></script>", with: "<script>\(script)</script>", maxReplacements: 1)

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func hash(_ text: String) -> String {
        "sha256-\(Data(SHA256.hash(data: Data(text.utf8))).base64EncodedString())"
    }
}
