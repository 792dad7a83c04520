/// What browsers are told beside the content.
enum PageHeaders {
    /// With every answer.
    static let always = [
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("X-Frame-Options", "DENY"),
    ]

    /// With a resource: what it may do in a browser.
    static func fields(of resource: Resource, in content: Content) -> [(String, String)] {
        guard resource == .page else {
            return [("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")]
        }
        return [
            ("Content-Security-Policy", StatusPage.policy),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        ]
    }
}
