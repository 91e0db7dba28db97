/**
 * Server addresses. A token travels only over https, or over http on this very machine; an address is compared,
 * stored and shown in one normal form, so that "the server that issued the token" is a plain string comparison.
 */
import { EventsSdkError } from '../errors.ts';

/**
 * Checks a server address and returns it normalised: scheme and host in lower case, default port and trailing
 * slashes removed, a path kept. Throws INVALID_SERVER_URL for anything but https (or http on loopback), for an
 * address with a user name or password in it, and for one with a query or fragment.
 */
export function parseServerUrl(text: string): string {
  const url = toUrl(text.trim());
  if (url === undefined) throw invalid('The server address is not a URL. Write it as https://host.');
  if (url.username !== '' || url.password !== '') {
    throw invalid(
      `The server address of ${url.host} holds a user name or password. Leave them out and sign in instead.`,
    );
  }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopbackHost(url.hostname))) {
    throw invalid(
      `${url.protocol}//${url.host} would send your token unencrypted. Use https:// (http only on this machine).`,
    );
  }
  if (url.search !== '' || url.hash !== '') {
    throw invalid(`The server address of ${url.host} has a query or fragment. Write it as https://host.`);
  }
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`;
}

/** True for names that can only mean this machine. */
export function isLoopbackHost(hostname: string): boolean {
  // The URL parser has already turned every spelling of an IPv4 address into dotted decimals.
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function toUrl(text: string): URL | undefined {
  // `new URL` would read "https:host" and "https:/host" as well; a person who writes that has made a mistake.
  if (!/^[a-z][a-z\d+.-]*:\/\/[^/]/i.test(text)) return undefined;
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function invalid(message: string): EventsSdkError {
  return new EventsSdkError('INVALID_SERVER_URL', message);
}
