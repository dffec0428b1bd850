/// What an independent verifier says of one DKIM-Signature.
package struct DKIMVerdict: Sendable, Equatable {
    package let domain: String
    package let selector: String
    /// Such as `rsa-sha256`.
    package let algorithm: String
    package let isValid: Bool

    package init(domain: String, selector: String, algorithm: String, isValid: Bool) {
        self.domain = domain
        self.selector = selector
        self.algorithm = algorithm
        self.isValid = isValid
    }
}

/// A public key as DNS would give it.
package struct DKIMRecord: Sendable {
    /// Such as `s1._domainkey.example.com`.
    package let name: String
    /// Such as `v=DKIM1; k=rsa; p=...`.
    package let text: String

    package init(name: String, text: String) {
        self.name = name
        self.text = text
    }
}
