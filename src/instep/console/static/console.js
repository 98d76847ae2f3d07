// What scripts add to pages that work without them.  Each module looks for the elements it serves, by their data- attributes.
import { tickServerClocks, showLocalTimes } from "./clocks.js";
import { guideCodePairs } from "./code-pair.js";
import { offerCopying } from "./copy.js";
import { countDown } from "./countdown.js";
import { openDialogs } from "./dialogs.js";
import { rewriteDigits } from "./digits.js";
import { closeMenus } from "./menu.js";
import { offerShowingPasswords } from "./passwords.js";
import { switchThemes } from "./theme.js";

tickServerClocks(document);
showLocalTimes(document);
guideCodePairs(document);
offerCopying(document);
countDown(document);
openDialogs(document);
rewriteDigits(document);
closeMenus(document);
offerShowingPasswords(document);
switchThemes(document);
