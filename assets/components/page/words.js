// Words that all pictures share and only who hears them meets: they come with the page, not with every picture.

/** @type {Record<string, string>} */
export const SUMMARY_WORDS = {};
