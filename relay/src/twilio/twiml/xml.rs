//! XML by values. Names are fixed texts of this program (`&'static str`: nothing that a request carries can
//! be one), and the only way for any other text into a document is through the escaping here.

use std::fmt::Write;

/// One element: its name, attributes and content, in the order they are written.
#[derive(Debug, Clone)]
pub struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    content: Vec<Content>,
}

#[derive(Debug, Clone)]
enum Content {
    Element(Element),
    Text(String),
}

impl Element {
    /// An element without anything.
    pub fn new(name: &'static str) -> Self {
        Element {
            name,
            attributes: Vec::new(),
            content: Vec::new(),
        }
    }

    /// Adds an attribute; each name once.
    #[must_use]
    pub fn attribute(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// Adds an attribute where there is a value.
    #[must_use]
    pub fn maybe(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.attribute(name, value),
            None => self,
        }
    }

    /// Adds text.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.content.push(Content::Text(text.into()));
        self
    }

    /// Adds an element.
    #[must_use]
    pub fn child(mut self, child: Element) -> Self {
        self.content.push(Content::Element(child));
        self
    }

    /// Adds elements.
    #[must_use]
    pub fn children(mut self, children: impl IntoIterator<Item = Element>) -> Self {
        self.content.extend(children.into_iter().map(Content::Element));
        self
    }

    /// The document with this as its root, in UTF-8. No white space is added: inside `<Say>` and `<Number>`
    /// it would be content.
    pub fn document(&self) -> String {
        let mut out = String::from(r#"<?xml version="1.0" encoding="UTF-8"?>"#);
        self.open(&mut out);
        out.push('>');
        self.close(&mut out);
        out
    }

    fn open(&self, out: &mut String) {
        let _ = write!(out, "<{}", self.name);
        for (name, value) in &self.attributes {
            let _ = write!(out, " {name}=\"");
            escape(value, out);
            out.push('"');
        }
    }

    fn close(&self, out: &mut String) {
        for content in &self.content {
            match content {
                Content::Text(text) => escape(text, out),
                Content::Element(child) => {
                    child.open(out);
                    if child.content.is_empty() {
                        out.push_str("/>");
                    } else {
                        out.push('>');
                        child.close(out);
                    }
                }
            }
        }
        let _ = write!(out, "</{}>", self.name);
    }
}

/// Whether XML 1.0 has the character at all; one that it forbids cannot even be written as a reference.
pub fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

/// Writes text so that a parser reads the same text, in content and in an attribute alike; what XML forbids
/// is left out. White space other than a blank is a reference, since parsers make blanks of it in attributes.
fn escape(text: &str, out: &mut String) {
    for c in text.chars().filter(|c| is_xml(*c)) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_document_is_written_without_a_blank_too_many() {
        let root = Element::new("Response")
            .child(
                Element::new("Say")
                    .attribute("language", "en-US")
                    .text("a < b & \"c\""),
            )
            .child(Element::new("Hangup"));
        assert_eq!(
            root.document(),
            r#"<?xml version="1.0" encoding="UTF-8"?><Response><Say language="en-US">a &lt; b &amp; &quot;c&quot;</Say><Hangup/></Response>"#
        );
        assert_eq!(
            Element::new("Response").document(),
            r#"<?xml version="1.0" encoding="UTF-8"?><Response></Response>"#
        );
    }

    proptest! {
        #[test]
        fn any_text_comes_back_from_both_places(text in any::<String>()) {
            let document = Element::new("a").attribute("b", &text).text(&text).document();
            let parsed = roxmltree::Document::parse(&document).unwrap();
            let kept: String = text.chars().filter(|c| is_xml(*c)).collect();
            let root = parsed.root_element();
            prop_assert_eq!(root.attribute("b"), Some(kept.as_str()));
            prop_assert_eq!(root.text().unwrap_or_default(), kept.as_str());
            prop_assert_eq!(root.children().filter(roxmltree::Node::is_element).count(), 0);
        }
    }
}
